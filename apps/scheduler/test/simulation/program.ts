/** Histories of the scheduler, in a process of their own. */
import { serveHistories } from '@weft/testing';
import { runHistory, TROUBLES } from './history.js';

await serveHistories({ troubles: TROUBLES, run: runHistory });

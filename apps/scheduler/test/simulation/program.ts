/** Histories of the scheduler, in a process of their own. */
import { serveHistories } from '@weft/testing';
import { runHistory } from './history.js';
import { TROUBLES } from './misfortunes.js';

await serveHistories({ troubles: TROUBLES, run: runHistory });

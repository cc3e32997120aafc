/** Reads large bodies. Bundled as `body-worker.mjs`. */
import { serveTasks } from '@weft/threads/serve';
import { partsOf } from './parts.js';
import type { BodyTask, FromBodyThread } from './protocol.js';
import { readBody } from './read-body.js';
import { BodyRefusal } from './refusal.js';

serveTasks((bytes: BodyTask): FromBodyThread => {
  try {
    return { kind: 'read', ...partsOf(readBody(bytes)) };
  } catch (error) {
    if (!(error instanceof BodyRefusal)) throw error;
    return { kind: 'refused', message: error.message };
  }
});

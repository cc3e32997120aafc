/** For tests in which whose results a run sees is not the point: everything. */
import type { FileAccess } from '@weft/tasks';
import type { Seeing } from '../src/reach/result-reach.js';

export function openReach(files: FileAccess): Seeing {
  return { filesOf: () => files, checkValues: () => Promise.resolve(), checkSpec: () => Promise.resolve() };
}

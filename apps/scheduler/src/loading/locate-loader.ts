/** Where the program of loading threads is. */
import { locateWorkerProgram } from '@weft/threads';

export function locateLoader(): Promise<URL> {
  return locateWorkerProgram({
    name: 'loading-worker',
    beside: import.meta.url,
    source: './worker.ts',
    folders: ['./', '../runs', '../../../../libs/cwl/src', '../../../../libs/plan/src', '../../../../libs/threads/src'],
  });
}

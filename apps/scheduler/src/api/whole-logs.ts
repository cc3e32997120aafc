/** The whole log of a task, as its runner has kept it beside the run's outputs. */
import type { Readable } from 'node:stream';
import { ServiceError } from '@weft/platform';
import { StorageError, type StorageReader } from '@weft/storage';
import { logsOf } from '../execution/task-spec.js';

export interface WholeLog {
  runId: string;
  taskId: string;
  attempt: number;
  stream: 'stdout' | 'stderr';
}

/** @throws ServiceError INVALID_ARGUMENT, NOT_FOUND */
export async function openWholeLog(storage: Pick<StorageReader, 'open'>, dataUri: string, log: WholeLog): Promise<Readable> {
  const { runId, taskId, attempt, stream } = log;
  // The name comes from outside and becomes one of a file.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(taskId)) throw new ServiceError('INVALID_ARGUMENT', `'${taskId}' is not the id of a task`);
  try {
    return await storage.open(`${logsOf(dataUri, log)}${stream}`);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'NOT_FOUND') throw error;
    const what = `attempt ${attempt} of task ${taskId} of run ${runId}`;
    throw new ServiceError('NOT_FOUND', `there is no ${stream} of ${what}: it wrote nothing there that is no output, or it was removed`);
  }
}

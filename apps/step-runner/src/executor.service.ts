/** weft.executor.v1.ContainerExecutor: the wire's requests onto the attempt table. */
import { executor } from '@weft/contracts';
import { type CallContext, serverStream, ServiceError, unary } from '@weft/platform';
import { type LocalStorage, StorageError, fileUriToPath } from '@weft/storage';
import type { AttemptTable } from './attempt-table.js';
import { collectItem } from './collector.js';
import { isWithin } from './sandbox-layout.js';

export interface ExecutorServiceOptions {
  table: AttemptTable;
  storage: LocalStorage;
  describe: () => Promise<executor.DescribeResponse>;
  /** Directories below which results may be published; absent: anywhere. */
  publishRoots?: readonly string[];
  fsync: boolean;
}

export function executorService(options: ExecutorServiceOptions): executor.ContainerExecutorServer {
  const { table } = options;
  return {
    describe: unary(() => options.describe()),
    execute: serverStream((spec: executor.TaskSpec, context: CallContext) => table.execute(spec).watch(context.signal)),
    collect: unary((request: executor.CollectRequest) => collect(options, request)),
    cancel: unary(async (request: executor.CancelRequest) => {
      await table.cancel(request.taskId, request.attempt, request.graceMs);
      return {};
    }),
    release: unary(async (request: executor.ReleaseRequest) => {
      await table.release(request.taskId, request.attempt);
      return {};
    }),
  };
}

async function collect(options: ExecutorServiceOptions, request: executor.CollectRequest): Promise<executor.CollectResponse> {
  const attempt = options.table.collectable(request.taskId, request.attempt);
  const publishDirectory = request.publishTo === '' ? undefined : publishDirectoryOf(request.publishTo, options.publishRoots);
  const target = { tree: attempt.workTree(), workDir: attempt.context.spec.workDir, publishDirectory, fsync: options.fsync };
  const files: executor.CollectedFile[] = [];
  for (const item of request.items) files.push(await collectItem(item, target));
  if (request.release) await options.table.release(request.taskId, request.attempt);
  return { files };
}

function publishDirectoryOf(uri: string, roots: readonly string[] | undefined): string {
  if (!uri.endsWith('/')) throw new ServiceError('INVALID_ARGUMENT', `publish_to '${uri}' does not end in '/'`);
  let path: string;
  try {
    path = fileUriToPath(uri).replace(/(.)\/+$/, '$1');
  } catch (error) {
    if (error instanceof StorageError) throw new ServiceError('INVALID_ARGUMENT', error.message);
    throw error;
  }
  if (roots === undefined || roots.some((root) => isWithin(path, root))) return path;
  throw new ServiceError('PERMISSION_DENIED', `publish_to '${uri}' is outside the directories that may be written (${roots.join(', ')})`);
}

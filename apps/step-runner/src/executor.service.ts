/** weft.executor.v1.ContainerExecutor: the wire's requests onto the attempt table. */
import { withoutEndSlashes } from '@weft/plan';
import { executor } from '@weft/contracts';
import { type CallContext, serverStream, ServiceError, unary } from '@weft/platform';
import { RuntimeFailure, type TaskRuntime } from '@weft/runtimes';
import { isFileUri, mapLimited, schemeOf, StorageError } from '@weft/storage';
import type { AttemptTable } from './attempts/attempt-table.js';
import { collectItem } from './work-dir/collector.js';
import type { RunnerFiles } from './inputs/runner-files.js';
import { LocalPublisher, OncePublisher, type Publisher, RemotePublisher } from './publishing/publisher.js';

export interface ExecutorServiceOptions {
  table: AttemptTable;
  /** Says where results may be published. */
  storage: RunnerFiles;
  runtimes: readonly TaskRuntime[];
  describe: () => Promise<executor.DescribeResponse>;
  fsync: boolean;
  onProblem: (text: string, error: unknown) => void;
}

export function executorService(options: ExecutorServiceOptions): executor.ContainerExecutorServer {
  const { table } = options;
  return {
    describe: unary(() => options.describe()),
    execute: serverStream((spec: executor.TaskSpec, context: CallContext) => table.execute(spec).watch(context.signal)),
    collect: unary(async (request: executor.CollectRequest) => {
      const files = await table.collecting(request.taskId, request.attempt, (signal) => collect(options, request, signal));
      if (request.release) table.releaseSoon(request.taskId, request.attempt);
      return { files };
    }),
    cancel: unary(async (request: executor.CancelRequest) => {
      if (request.waitingOnly) table.withdraw(request.taskId, request.attempt);
      else await table.cancel(request.taskId, request.attempt, request.graceMs);
      return {};
    }),
    release: unary(async (request: executor.ReleaseRequest) => {
      await table.release(request.taskId, request.attempt);
      return {};
    }),
    inspectImage: unary((request: executor.InspectImageRequest) => inspectImage(options.runtimes, request)),
  };
}

async function inspectImage(
  runtimes: readonly TaskRuntime[],
  { runtime: name, image, searchPath }: executor.InspectImageRequest,
): Promise<executor.InspectImageResponse> {
  const runtime = runtimes.find((one) => one.name === name);
  if (runtime === undefined || image === undefined)
    throw new ServiceError('INVALID_ARGUMENT', runtime === undefined ? `there is no runtime '${name}' here` : 'no image is named');
  try {
    return { imageId: (await runtime.contentId(image, searchPath)) ?? '' };
  } catch (error) {
    if (error instanceof RuntimeFailure) throw new ServiceError('UNAVAILABLE', error.message);
    throw error;
  }
}

async function collect(
  options: ExecutorServiceOptions,
  request: executor.CollectRequest,
  signal: AbortSignal,
): Promise<executor.CollectedFile[]> {
  const attempt = options.table.collectable(request.taskId, request.attempt);
  const { runtime, layout } = attempt.context;
  const sandbox = { root: layout.root, held: (await runtime.heldOpen?.(layout.root)) ?? new Set<string>() };
  const { publishTo } = request;
  const publisher =
    publishTo === '' ? undefined : new OncePublisher(await publisherTo(publishTo, options, sandbox, signal), publishTo, attempt.published);
  const target = { tree: attempt.workTree(), workDir: attempt.context.spec.workDir, publisher };
  const files = await mapLimited(request.items, publisher?.atOnce ?? 1, (item) => collectItem(item, target));
  refuseLong(files);
  return files;
}

/** Characters of an answer, with room for what is around them in a message of 64 MiB. */
const ANSWER_CHARS = 48 * 1024 * 1024;
/** Numbers and signs of one file. */
const CHARS_OF_FILE = 32;

/** @throws ServiceError OUT_OF_RANGE where what there is to tell would not fit into a message */
function refuseLong(files: readonly executor.CollectedFile[]): void {
  let chars = 0;
  const open = [...files];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    chars += file.path.length + file.uri.length + file.checksum.length + (file.contents?.length ?? 0) + CHARS_OF_FILE;
    for (const entry of file.listing) open.push(entry);
  }
  if (chars <= ANSWER_CHARS) return;
  const limit = `more than ${ANSWER_CHARS / 1024 / 1024} MiB`;
  throw new ServiceError('OUT_OF_RANGE', `the names and contents of the outputs have ${limit}: put what is many into an archive`);
}

/** Roots are compared by real path, also where the directory is still to be made. */
async function publisherTo(
  uri: string,
  { storage, fsync, onProblem }: ExecutorServiceOptions,
  sandbox: { root: string; held: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<Publisher> {
  if (!uri.endsWith('/')) throw new ServiceError('INVALID_ARGUMENT', `publish_to '${uri}' does not end in '/'`);
  if (schemeOf(uri) === 's3')
    return new RemotePublisher(withoutEndSlashes(uri), storage.storage, storage.cache, onProblem, signal, sandbox);
  if (!isFileUri(uri)) throw new ServiceError('INVALID_ARGUMENT', `publish_to '${uri}': results are published to file: and s3:`);
  try {
    return new LocalPublisher(withoutEndSlashes(await storage.resolve(uri)) || '/', fsync, sandbox.held);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new ServiceError(error.code === 'ACCESS' ? 'PERMISSION_DENIED' : 'INVALID_ARGUMENT', `publish_to: ${error.message}`);
  }
}

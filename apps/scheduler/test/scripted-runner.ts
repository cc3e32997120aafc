/** A runner that does what a test says, on a real socket; and what it may say. */
import { executor } from '@weft/contracts';
import { type RunningGrpcServer, serverStream, ServiceError, startGrpcServer, unary } from '@weft/platform';
import { DeferredGate, Inbox } from '@weft/testing';

export type Scripted = (spec: executor.TaskSpec) => AsyncIterable<executor.TaskEvent>;

export const finished = (more: Partial<executor.Finished>): executor.TaskEvent => ({
  at: undefined,
  event: { $case: 'finished', value: executor.Finished.create({ outcome: executor.Outcome.EXITED, ...more }) },
});
export const started: executor.TaskEvent = { at: undefined, event: { $case: 'started', value: { handle: '1' } } };
export const written = [executor.ManifestEntry.create({ path: 'out.txt', kind: executor.EntryKind.FILE, size: 3 })];

export class ScriptedRunner {
  readonly specs: executor.TaskSpec[] = [];
  readonly executed = new Inbox<executor.TaskSpec>();
  readonly cancels: executor.CancelRequest[] = [];
  readonly released = new Inbox<string>();
  readonly cancelled = new DeferredGate();
  readonly gate = new DeferredGate();
  private server: RunningGrpcServer | undefined;

  constructor(private readonly script: Scripted[]) {}

  async start(path: string): Promise<string> {
    const implementation: executor.ContainerExecutorServer = {
      describe: unary(() => Promise.reject(new ServiceError('UNIMPLEMENTED', 'not asked here'))),
      inspectImage: unary(() => Promise.reject(new ServiceError('UNIMPLEMENTED', 'not asked here'))),
      execute: serverStream((spec) => {
        this.specs.push(spec);
        this.executed.push(spec);
        const next = this.script.shift();
        if (!next) throw new ServiceError('INTERNAL', 'the test has no script for this call');
        return next(spec);
      }),
      collect: unary(async ({ items, release, taskId, attempt }) => {
        if (release) this.released.push(`${taskId}.${attempt}`);
        return {
          files: items.map(({ path: name }) =>
            executor.CollectedFile.create({
              path: name,
              kind: executor.EntryKind.FILE,
              size: 3,
              checksum: 'sha1$1',
              uri: `file:///d/${name}`,
            }),
          ),
        };
      }),
      cancel: unary(async (request) => {
        this.cancels.push(request);
        void this.cancelled.pass();
        return {};
      }),
      release: unary(async ({ taskId, attempt }) => {
        this.released.push(`${taskId}.${attempt}`);
        return {};
      }),
    };
    this.server = await startGrpcServer({
      listen: `unix:${path}`,
      services: [{ definition: executor.ContainerExecutorService, implementation }],
    });
    return this.server.address;
  }

  async stop(): Promise<void> {
    await this.server?.close(0);
  }
}

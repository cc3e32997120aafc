/**
 * The fake run store as one process of a virtual world sees it: every call is a message there and one back, nudges are messages that may be
 * lost, doubled and late.
 *
 * Invariant: a lost nudge is made up for by `onReset`, as the port promises.
 */
import type { CwlObject } from '@weft/plan';
import type { Lease, Leases, LogEntry, LogPosition, RunHeader, RunLog, RunStore } from '@weft/run-store';
import type { FakeRunStoreData } from '../fake-run-data.js';
import { createFakeRunStore } from '../fake-run-store.js';
import { remotePort } from './remote-port.js';
import type { VirtualProcess, VirtualWorld } from './virtual-world.js';

export interface NudgeFaults {
  lose: number;
  double: number;
}

export interface RemoteStoreOptions {
  nudges(): NudgeFaults;
  onLeases?(leases: Lease[]): void;
  /** Called when the store carries an append or a seal out, with what it answers. */
  onAppend?(lease: Lease, runId: string, accepted: boolean): void;
}

const RECONNECT_MS = 50;
const RETENTION = ['ended', 'read', 'evict', 'restore', 'forget', 'newestArchived', 'noteArchived', 'releasePlan', 'counts'] as const;

export function remoteRunStore(
  world: VirtualWorld,
  process: VirtualProcess,
  data: FakeRunStoreData,
  options: RemoteStoreOptions,
): RunStore {
  const inner = createFakeRunStore(data);
  const { log, leases, reader, taskLogs } = inner;
  const watched: RunLog = Object.assign(Object.create(log) as RunLog, {
    append: async (lease: Lease, runId: string, ...rest: [LogPosition, LogEntry['event'][]]) => {
      const result = await log.append(lease, runId, ...rest);
      options.onAppend?.(lease, runId, result.ok);
      return result;
    },
    seal: async (lease: Lease, header: RunHeader, ...rest: [LogPosition, LogEntry['event'], CwlObject?]) => {
      const result = await log.seal(lease, header, ...rest);
      options.onAppend?.(lease, header.runId, result.ok);
      return result;
    },
  } satisfies Partial<RunLog>);
  const acquiring: Leases = Object.assign(Object.create(leases) as Leases, {
    acquire: async (...args: Parameters<Leases['acquire']>) => {
      const held = await leases.acquire(...args);
      options.onLeases?.(held);
      return held;
    },
  });
  return {
    open: () => inner.open(),
    ping: () => inner.ping(),
    intake: remotePort(process, 'intake', inner.intake, ['find', 'create', 'request', 'reopen', 'activeRuns', 'putPlan']),
    log: remotePort(process, 'log', watched, ['append', 'seal', 'read', 'updateHeader', 'active', 'getPlan']),
    leases: {
      ...remotePort(process, 'leases', acquiring, ['acquire', 'renew', 'release', 'announce', 'withdraw']),
      watch: (onChange) => process.call('leases.watch', () => leases.watch(heard(world, process, options, onChange))),
    },
    nudges: remoteNudges(world, process, data, options),
    cancels: {
      send: (attempts) => process.call('cancels.send', () => inner.cancels.send(attempts)),
      subscribe: (onCancel) =>
        process.call('cancels.subscribe', () =>
          inner.cancels.subscribe((attempts) => heard(world, process, options, () => onCancel(attempts))()),
        ),
    },
    reader: remotePort(process, 'reader', reader, ['get', 'object', 'list', 'read', 'remove']),
    retention: remotePort(process, 'retention', inner.retention, RETENTION),
    taskLogs,
    close: () => inner.close(),
  };
}

/** A message that may be lost for good, and come twice. */
function heard(world: VirtualWorld, process: VirtualProcess, options: RemoteStoreOptions, deliver: () => void): () => void {
  return () => {
    if (process.crashed) return;
    const { lose, double } = options.nudges();
    if (lose === 0 || !world.random.chance(lose)) process.receive(deliver);
    if (double > 0 && world.random.chance(double)) process.receive(deliver);
  };
}

function remoteNudges(
  world: VirtualWorld,
  process: VirtualProcess,
  data: FakeRunStoreData,
  options: RemoteStoreOptions,
): RunStore['nudges'] {
  return {
    subscribe: (partition, onNudge, onReset) =>
      process.call('nudges.subscribe', async () => {
        const stop = data.listen(partition, (runId, sequence) => {
          if (process.crashed) return stop();
          const { lose, double } = options.nudges();
          const deliver = (): void => process.receive(() => onNudge(runId, sequence), 'nudge');
          if (lose > 0 && world.random.chance(lose)) process.clock.after(RECONNECT_MS, onReset);
          else deliver();
          if (double > 0 && world.random.chance(double)) deliver();
        });
        const reset = (): void => {
          if (process.crashed) data.resets.delete(reset);
          else process.receive(onReset);
        };
        data.resets.add(reset);
        return async () => {
          stop();
          data.resets.delete(reset);
        };
      }),
  };
}

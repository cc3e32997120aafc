/**
 * The fake run store as one process of a virtual world sees it: every call is a message there and one back, nudges are messages that may be
 * lost, doubled and late.
 *
 * Invariant: a lost nudge is made up for by `onReset`, as the port promises.
 */
import type { Lease, RunStore } from '@weft/run-store';
import { createFakeRunStore, type FakeRunStoreData } from '../fake-run-store.js';
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

export function remoteRunStore(
  world: VirtualWorld,
  process: VirtualProcess,
  data: FakeRunStoreData,
  options: RemoteStoreOptions,
): RunStore {
  const inner = createFakeRunStore(data);
  const { log, leases, reader, taskLogs } = inner;
  const through =
    <A extends unknown[], R>(operation: string, call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      process.call(operation, () => call(...args));
  return {
    open: () => inner.open(),
    intake: {
      find: through('find', (...args) => inner.intake.find(...args)),
      create: through('create', (...args) => inner.intake.create(...args)),
      request: through('request', (...args) => inner.intake.request(...args)),
      reopen: through('reopen', (...args) => inner.intake.reopen(...args)),
      activeRuns: through('activeRuns', (...args) => inner.intake.activeRuns(...args)),
      putPlan: through('putPlan', (...args) => inner.intake.putPlan(...args)),
    },
    log: {
      append: through('append', async (lease, runId, after, events) => {
        const result = await log.append(lease, runId, after, events);
        options.onAppend?.(lease, runId, result.ok);
        return result;
      }),
      seal: through('seal', async (lease, header, after, ended) => {
        const result = await log.seal(lease, header, after, ended);
        options.onAppend?.(lease, header.runId, result.ok);
        return result;
      }),
      read: through('read', (...args) => log.read(...args)),
      updateHeader: through('updateHeader', (...args) => log.updateHeader(...args)),
      active: through('active', (...args) => log.active(...args)),
      getPlan: through('getPlan', (...args) => log.getPlan(...args)),
    },
    leases: {
      acquire: through('acquire', async (...args) => {
        const held = await leases.acquire(...args);
        options.onLeases?.(held);
        return held;
      }),
      renew: through('renew', (...args) => leases.renew(...args)),
      release: through('releaseLease', (...args) => leases.release(...args)),
      announce: through('announce', (...args) => leases.announce(...args)),
      withdraw: through('withdraw', (...args) => leases.withdraw(...args)),
      watch: (onChange) => process.call('watch', () => leases.watch(heard(world, process, options, onChange))),
    },
    nudges: remoteNudges(world, process, data, options),
    cancels: {
      send: through('cancels', (...args) => inner.cancels.send(...args)),
      subscribe: (onCancel) =>
        process.call('subscribe', () => inner.cancels.subscribe((attempts) => heard(world, process, options, () => onCancel(attempts))())),
    },
    reader: { ...bound(reader), get: through('get', (runId) => reader.get(runId)) },
    retention: inner.retention,
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

function bound(reader: RunStore['reader']): RunStore['reader'] {
  return {
    get: (runId) => reader.get(runId),
    list: (query) => reader.list(query),
    read: (runId, after) => reader.read(runId, after),
    follow: (runId, after, signal) => reader.follow(runId, after, signal),
    remove: (runId) => reader.remove(runId),
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
      process.call('subscribe', async () => {
        const stop = data.listen(partition, (runId, sequence) => {
          if (process.crashed) return stop();
          const { lose, double } = options.nudges();
          const deliver = (): void => process.receive(() => onNudge(runId, sequence));
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

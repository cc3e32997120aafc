/**
 * Clients that read runs while these go on, end, move to the archive and come back.
 *
 * Invariant: whatever was in the log when a read began is in what it gives, and whatever it gives is in the log when it ends. A log that was
 * cut back in between says nothing.
 */
import { canonicalJson } from '@weft/plan';
import { createFakeRunStore, type VirtualProcess } from '@weft/testing';
import { type LogEntry, type RunReader, withArchive } from '@weft/run-store';
import type { LoggedRun } from './monitor.js';
import { archiveOver, type Replica, type Surroundings } from './replica.js';

export class Readers {
  constructor(
    private readonly around: Surroundings,
    private readonly outside: VirtualProcess,
  ) {}

  /** By a replica, in messages; a call that fails says nothing. */
  async read(replica: Replica, runId: string): Promise<void> {
    await this.compare(replica.store.reader, runId).catch((error: unknown) => {
      const { code, message } = error as { code?: string; message: string };
      if (code !== 'ECONNRESET') this.around.monitor.violate('what is archived reads as before', `${runId}: ${message}`);
    });
  }

  /** At the end of the history, without messages. */
  checkNow(runId: string): Promise<void> {
    return this.compare(withArchive(createFakeRunStore(this.around.store), archiveOver(this.around.archive)).reader, runId);
  }

  private async compare(reader: RunReader, runId: string): Promise<void> {
    const { monitor } = this.around;
    const before = this.now(runId);
    const { cuts } = monitor;
    if (!before) return;
    const [header, log] = await Promise.all([reader.get(runId), reader.read(runId, 0)]);
    const after = this.now(runId);
    if (monitor.cuts !== cuts || !after) return;
    const wrong = (why: string): void => monitor.violate('what is archived reads as before', `${runId}: ${why}`);
    if (!header) wrong('there is no such run');
    else if (monitor.isOver(runId) && before.log.length === after.log.length && text(header) !== text(after.header))
      wrong(`it says ${text(header)}`);
    if (log.length < before.log.length) wrong(`${log.length} entries, after ${before.log.length}`);
    else if (text(log) !== text(after.log.slice(0, log.length))) wrong(`entries are not as they were: ${text(log)}`);
  }

  private now(runId: string): { header: LoggedRun['header']; log: LogEntry[] } | undefined {
    const run = this.around.monitor.runOf(runId);
    return run && { header: run.header, log: [...run.log] };
  }
}

function text(value: unknown): string {
  return canonicalJson(value as never);
}

/** The owner's side of logs and headers: one script and one round trip per write, fenced by the lease. */
import { type CwlObject, type Plan, readJson, writeJson } from '@weft/plan';
import type { Redis } from 'ioredis';
import { InvalidRequestError } from './errors.js';
import type { Keys } from './keys.js';
import { decodeAppendResult, encodePosition } from './log-codec.js';
import { type AppendResult, type Lease, type LogEntry, type LogPosition, type RunHeader, type RunLog, partitionOf } from './ports.js';
import { type RunScript, defineScript } from './redis-script.js';
import type { RedisRunReader } from './redis-run-reader.js';
import { appendEvents } from './scripts/append-events.lua.js';
import { sealRun } from './scripts/seal-run.lua.js';
import { updateHeader } from './scripts/update-header.lua.js';

/** Members per SSCAN step; Redis answers others in between. */
const SCAN_COUNT = 1000;

export class RedisRunLog implements RunLog {
  private readonly appendEvents: RunScript;
  private readonly sealRun: RunScript;
  private readonly updateHeaderScript: RunScript;

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly reader: Pick<RedisRunReader, 'read'>,
  ) {
    this.appendEvents = defineScript(redis, appendEvents);
    this.sealRun = defineScript(redis, sealRun);
    this.updateHeaderScript = defineScript(redis, updateHeader);
  }

  async append(lease: Lease, runId: string, after: LogPosition, events: LogEntry['event'][]): Promise<AppendResult> {
    if (events.length === 0) throw new InvalidRequestError('an append needs at least one event');
    const partition = partitionFor(lease, runId);
    const answer = await this.appendEvents(
      [this.keys.lease(partition), this.keys.header(runId), this.keys.log(runId)],
      [
        lease.owner,
        lease.token,
        runId,
        encodePosition(after),
        Date.now(),
        this.keys.nudge(partition),
        ...events.map((event) => writeJson(event)),
      ],
    );
    return decodeAppendResult(answer);
  }

  read(runId: string, afterSequence: number): Promise<LogEntry[]> {
    return this.reader.read(runId, afterSequence);
  }

  async updateHeader(lease: Lease, header: RunHeader): Promise<boolean> {
    const partition = partitionFor(lease, header.runId);
    const keys = [this.keys.lease(partition), this.keys.header(header.runId)];
    return (await this.updateHeaderScript(keys, [lease.owner, lease.token, JSON.stringify(changingPart(header)), header.state])) === 1;
  }

  async seal(lease: Lease, header: RunHeader, after: LogPosition, ended: LogEntry['event'], outputs?: CwlObject): Promise<AppendResult> {
    const { runId } = header;
    const partition = partitionFor(lease, runId);
    const answer = await this.sealRun(
      [
        ...[this.keys.lease(partition), this.keys.header(runId), this.keys.log(runId)],
        ...[this.keys.active(partition), this.keys.ended(partition), this.keys.activeOf(partition, header.projectId)],
        this.keys.object(runId, 'outputs'),
      ],
      [
        lease.owner,
        lease.token,
        runId,
        encodePosition(after),
        Date.now(),
        this.keys.nudge(partition),
        writeJson(ended),
        JSON.stringify(header),
        header.state,
        outputs === undefined ? '' : writeJson(outputs),
      ],
    );
    return decodeAppendResult(answer);
  }

  async active(partition: number): Promise<string[]> {
    const found = new Set<string>();
    let cursor = '0';
    do {
      const [next, ids] = await this.redis.sscan(this.keys.active(partition), cursor, 'COUNT', SCAN_COUNT);
      for (const id of ids) found.add(id);
      cursor = next;
    } while (cursor !== '0');
    return [...found];
  }

  async getPlan(hash: string): Promise<Plan | undefined> {
    const text = await this.redis.get(this.keys.plan(hash));
    return text === null ? undefined : (readJson(text) as Plan);
  }
}

/** What stays as it was when the run was accepted is not written again and again. */
function changingPart({ state, startedAtMs, finishedAtMs, failure, tasks, currentSteps }: RunHeader): Partial<RunHeader> {
  return { state, startedAtMs, finishedAtMs, failure, tasks, currentSteps };
}

/** A lease of another partition is a mistake of the caller, not a lost race. */
function partitionFor(lease: Lease, runId: string): number {
  const partition = partitionOf(runId);
  if (lease.partition !== partition)
    throw new InvalidRequestError(`run ${runId} is of partition ${partition}, the lease of ${lease.partition}`);
  return partition;
}

/** Finished runs leaving Redis and coming back. Scripts are one slot each; what spans slots is ordered so that a crash in between shows nowhere. */
import { writeJson } from '@weft/plan';
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';
import { TASK_LOG_ENTRY_OVERHEAD } from './limits.js';
import { decodeHeader } from './header-codec.js';
import { positionOf } from './page-token.js';
import { type Lease, type LogEntry, PARTITIONS, partitionOf } from './ports.js';
import { acceptedTexts } from './log-codec.js';
import type { RedisRunEntries } from './redis-run-entries.js';
import type { RedisRunObjects } from './redis-run-objects.js';
import { chunkOf, fieldsOf, goneChunk } from './redis-task-logs.js';
import type { RedisRunIndex } from './redis-run-index.js';
import { type RunScript, defineScript } from './redis-script.js';
import type { Eviction, RestingRun, RestingRunPages, RunCounts, RunRetention, StoredChunk } from './retention.ports.js';
import { evictRun } from './scripts/evict-run.lua.js';
import { noteArchived } from './scripts/note-archived.lua.js';
import { restoreRun } from './scripts/restore-run.lua.js';

/** Chunks are long. */
const CHUNK_PAGE = 100;
/** What a restore that died had staged goes by itself. */
const STAGED_S = 600;
/** How long an archived plan stays for the next submission of the same document. */
const PLAN_LINGER_S = 300;

export class RedisRunRetention implements RunRetention {
  private readonly evictRun: RunScript;
  private readonly restoreRun: RunScript;
  private readonly noteArchivedScript: RunScript;

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly index: RedisRunIndex,
    private readonly objects: RedisRunObjects,
    private readonly entries: RedisRunEntries,
  ) {
    this.evictRun = defineScript(redis, evictRun);
    this.restoreRun = defineScript(redis, restoreRun);
    this.noteArchivedScript = defineScript(redis, noteArchived);
  }

  async ended(partition: number, limit: number): Promise<{ runId: string; endedAtMs: number }[]> {
    const found = (await this.redis.zrange(this.keys.ended(partition), 0, String(limit - 1), 'WITHSCORES')) as string[];
    return Array.from({ length: found.length / 2 }, (_, i) => ({ runId: found[2 * i] ?? '', endedAtMs: Number(found[2 * i + 1]) }));
  }

  async read(runId: string): Promise<RestingRunPages | undefined> {
    const [json, sealed, idempotency] = await this.redis.hmget(this.keys.header(runId), 'json', 'sealed', 'idem');
    if (typeof json !== 'string' || typeof sealed !== 'string') return undefined;
    const sequence = Number(sealed);
    return {
      header: decodeHeader(runId, json, undefined),
      sequence,
      idempotency: idempotency ?? '',
      objects: async () => ({ inputs: await this.objects.text(runId, 'inputs'), outputs: await this.objects.text(runId, 'outputs') }),
      entries: this.entries.pages(runId, 0, sequence),
      chunks: this.chunks(runId),
    };
  }

  async evict(lease: Lease, run: RestingRun, { cursor, bytes }: { cursor: string; bytes: number }): Promise<Eviction> {
    const { runId } = run.header;
    const partition = partitionOf(runId);
    // The bound first: it may be too high. The index before the run: an entry without a run would stay for ever.
    await this.noteArchived(positionOf(run.header));
    await this.index.remove(run.header);
    const { lease: held, header, log, taskLog, taskLogSize, taskLogState, ended, archived, nudge, removed, object } = this.keys;
    const answer = (await this.evictRun(
      [
        ...[held(partition), header(runId), log(runId), taskLog(runId), taskLogSize(runId)],
        ...[ended(partition), archived(partition), taskLogState(runId), removed(runId)],
        ...[object(runId, 'inputs'), object(runId, 'outputs')],
      ],
      [lease.owner, lease.token, runId, run.sequence, cursor, bytes, nudge(partition)],
    )) as Eviction;
    const isThere = async (): Promise<boolean> => (await this.redis.exists(header(runId))) === 1;
    if (answer !== 'evicted' && (await isThere())) await this.index.add(run.header);
    // One that has just lost the lease may put the entry back while another takes the run out: whoever comes last takes the entry out again.
    if (answer === 'evicted' || !(await isThere())) await this.index.remove(run.header);
    return answer;
  }

  async restore(run: RestingRunPages, bytes: number): Promise<boolean> {
    const { runId } = run.header;
    const partition = partitionOf(runId);
    const nonce = randomUUID();
    const [stagedLog, stagedChunks] = [`${this.keys.log(runId)}:${nonce}`, `${this.keys.taskLog(runId)}:${nonce}`];
    const { inputs = '', outputs = '' } = await run.objects();
    for await (const page of run.entries) {
      await this.stage(
        stagedLog,
        page.map((entry) => [`${entry.sequence}-0`, 't', String(entry.atMs), ...eventFields(entry, inputs)]),
      );
    }
    let size = 0;
    for await (const page of run.chunks) {
      const texts = page.map(({ cursor, ...chunk }) => {
        const [json = '', key = '', counts = ''] = fieldsOf(chunk);
        return [cursor, 'd', json, 'k', key, 'n', counts];
      });
      for (const [, , text = ''] of texts) size += Buffer.byteLength(text) + TASK_LOG_ENTRY_OVERHEAD;
      await this.stage(stagedChunks, texts);
    }
    await this.index.add(run.header);
    const { header, log, taskLog, taskLogSize, ended, archived, object } = this.keys;
    const restored = await this.restoreRun(
      [
        ...[header(runId), log(runId), taskLog(runId), taskLogSize(runId), ended(partition), archived(partition), stagedLog, stagedChunks],
        ...[object(runId, 'inputs'), object(runId, 'outputs')],
      ],
      [
        ...[runId, JSON.stringify(run.header), run.header.state, run.idempotency, run.sequence],
        ...[Date.now(), size, bytes, nonce, inputs, outputs],
      ],
    );
    return restored === 1;
  }

  async forget(run: RestingRun, bytes: number): Promise<void> {
    const counters = this.keys.archived(partitionOf(run.header.runId));
    await Promise.all([
      this.redis.hincrby(counters, 'runs', -1),
      this.redis.hincrby(counters, 'bytes', -bytes),
      ...(run.idempotency === '' ? [] : [this.redis.del(run.idempotency)]),
    ]);
  }

  async newestArchived(): Promise<string | undefined> {
    return (await this.redis.get(this.keys.newestArchived())) ?? undefined;
  }

  async noteArchived(position: string): Promise<void> {
    await this.noteArchivedScript([this.keys.newestArchived()], [position]);
  }

  async releasePlan(hash: string): Promise<void> {
    await this.redis.expire(this.keys.plan(hash), PLAN_LINGER_S);
  }

  async counts(): Promise<RunCounts> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
    const [active, ended, archived] = await Promise.all([
      Promise.all(partitions.map((partition) => this.redis.scard(this.keys.active(partition)))),
      Promise.all(partitions.map((partition) => this.redis.zcard(this.keys.ended(partition)))),
      Promise.all(partitions.map((partition) => this.redis.hmget(this.keys.archived(partition), 'runs', 'bytes'))),
    ]);
    return {
      active: sum(active),
      ended: sum(ended),
      archived: sum(archived.map(([runs]) => Number(runs ?? 0))),
      archivedBytes: sum(archived.map(([, bytes]) => Number(bytes ?? 0))),
    };
  }

  private async *chunks(runId: string): AsyncGenerator<StoredChunk[], void, undefined> {
    const [bytes, lines] = await this.redis.hmget(this.keys.taskLogState(runId), 'bytes', 'lines');
    if (typeof bytes === 'string') yield [goneChunk({ bytes: Number(bytes), lines: Number(lines) })];
    for (let cursor = '-', more = true; more;) {
      const page = await this.redis.xrange(this.keys.taskLog(runId), cursor, '+', 'COUNT', CHUNK_PAGE);
      more = page.length === CHUNK_PAGE;
      const chunks = page.flatMap(([cursor, fields]) => {
        const chunk = chunkOf(fields);
        return chunk ? [{ ...chunk, cursor }] : [];
      });
      cursor = `(${page.at(-1)?.[0] ?? ''}`;
      if (chunks.length > 0) yield chunks;
    }
  }

  private async stage(key: string, entries: string[][]): Promise<void> {
    const pipeline = this.redis.pipeline();
    for (const [id = '', ...fields] of entries) pipeline.call('XADD', key, id, ...fields);
    pipeline.expire(key, STAGED_S);
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  }
}

/** As they were when the run was accepted: what lies beside the log is not in it. */
function eventFields({ sequence, event }: LogEntry, inputs: string): string[] {
  if (sequence !== 1) return ['e', writeJson(event)];
  const { eventJson, inputsJson, beside } = acceptedTexts(event);
  return beside !== '' && inputsJson === inputs ? ['e', eventJson, 'o', beside] : ['e', writeJson(event)];
}

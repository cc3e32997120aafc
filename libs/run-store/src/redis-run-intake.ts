/**
 * Submissions.
 *
 * A run touches keys in several slots (its own partition, the idempotency key's, the index), so a submission is a chain of steps, each atomic and
 * idempotent, that a retry completes:
 *  1. The idempotency key is claimed (SET NX) for run id and submission time. Who comes second finds both.
 *  2. The run is indexed. An entry without a run is skipped by readers; a run without an entry could never be listed.
 *  3. Header, inputs, first event and active set in one script. Whoever runs it first creates the run.
 * A key that leads to no run means that its first call died between 1 and 3, or is still between them: the second call goes on with the claimed
 * id and time, and the script lets exactly one of the two create it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Plan, writeJson } from '@weft/plan';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';
import { IdempotencyConflictError } from './errors.js';
import { acceptedTexts } from './log-codec.js';
import type { RecentInputs } from './recent-inputs.js';
import { type IdempotencyKey, type LogEntry, PARTITIONS, type RunHeader, type RunIntake, partitionOf } from './ports.js';
import { type RunScript, defineScript } from './redis-script.js';
import type { RedisRunIndex } from './redis-run-index.js';
import { createRun } from './scripts/create-run.lua.js';
import { reopenRun } from './scripts/reopen-run.lua.js';
import { requestEvent } from './scripts/request-event.lua.js';

/** How long a retry finds the run of its first call. */
const IDEMPOTENCY_TTL_MS = 7 * 24 * 3600 * 1000;

type Claim = Pick<RunHeader, 'runId' | 'submittedAtMs'> & { fingerprint?: string };

export class RedisRunIntake implements RunIntake {
  private readonly createRun: RunScript;
  private readonly requestEvent: RunScript;
  private readonly reopenRun: RunScript;

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly index: RedisRunIndex,
    /** Whether a run that is not here lies in the archive. */
    private readonly isArchived: (runId: string) => Promise<boolean>,
    private readonly recent: Pick<RecentInputs, 'remember'>,
  ) {
    this.createRun = defineScript(redis, createRun);
    this.requestEvent = defineScript(redis, requestEvent);
    this.reopenRun = defineScript(redis, reopenRun);
  }

  async create(
    header: RunHeader,
    accepted: LogEntry['event'],
    idempotency?: IdempotencyKey,
    knownJson?: string,
  ): Promise<{ runId: string; existing: boolean }> {
    const key = idempotency === undefined ? '' : this.keys.idempotency(header.projectId, partsOf(idempotency).key);
    const claim = idempotency === undefined ? header : await this.claim(key, header, idempotency);
    const { runId } = claim;
    if (runId !== header.runId && (await this.isThere(runId))) return { runId, existing: true };
    // The event of a completed claim must speak of the run it starts.
    const event = accepted['runId'] === header.runId ? { ...accepted, runId } : accepted;
    const { eventJson, inputsJson, beside } = acceptedTexts(event, knownJson);
    const final: RunHeader = { ...header, runId, submittedAtMs: claim.submittedAtMs };
    await this.index.add(final);
    const partition = partitionOf(runId);
    const created = await this.createRun(
      [
        ...[this.keys.header(runId), this.keys.log(runId), this.keys.active(partition)],
        ...[this.keys.activeOf(partition, final.projectId), this.keys.object(runId, 'inputs')],
      ],
      [runId, Date.now(), this.keys.nudge(partition), writeJson(final), final.state, eventJson, key, randomUUID(), inputsJson, beside],
    );
    if (created === 1 && knownJson !== undefined && beside !== '') this.recent.remember(runId, event['inputs']);
    return { runId, existing: created !== 1 };
  }

  async find(projectId: string, idempotency: IdempotencyKey): Promise<string | undefined> {
    const claim = await this.redis.get(this.keys.idempotency(projectId, partsOf(idempotency).key));
    if (claim === null) return undefined;
    const { runId } = checked(JSON.parse(claim) as Claim, idempotency);
    return (await this.isThere(runId)) ? runId : undefined;
  }

  private async isThere(runId: string): Promise<boolean> {
    return (await this.redis.exists(this.keys.header(runId))) === 1 || this.isArchived(runId);
  }

  async request(runId: string, event: LogEntry['event']): Promise<boolean> {
    const keys = [this.keys.header(runId), this.keys.log(runId)];
    const args = [runId, Date.now(), this.keys.nudge(partitionOf(runId)), writeJson(event), randomUUID()];
    return (await this.requestEvent(keys, args)) === 1;
  }

  async reopen(header: RunHeader, event: LogEntry['event']): Promise<'reopened' | 'active' | 'gone'> {
    const partition = partitionOf(header.runId);
    const { runId } = header;
    const keys = [
      ...[this.keys.header(runId), this.keys.log(runId), this.keys.active(partition)],
      ...[this.keys.ended(partition), this.keys.activeOf(partition, header.projectId), this.keys.object(runId, 'outputs')],
    ];
    const args = [runId, Date.now(), this.keys.nudge(partition), writeJson(header), header.state, writeJson(event)];
    return (await this.reopenRun(keys, args)) as 'reopened' | 'active' | 'gone';
  }

  async secretsKey(): Promise<Buffer> {
    const key = this.keys.secretsKey();
    // Whoever comes first makes it.
    await this.redis.set(key, randomBytes(32).toString('base64'), 'NX');
    return Buffer.from((await this.redis.get(key)) ?? '', 'base64');
  }

  async activeRuns(projectId?: string): Promise<number> {
    const { active, activeOf } = this.keys;
    const keys = Array.from({ length: PARTITIONS }, (_, partition) =>
      projectId === undefined ? active(partition) : activeOf(partition, projectId),
    );
    const counts = await Promise.all(keys.map((key) => this.redis.scard(key)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async putPlan(hash: string, plan: Plan, json = writeJson(plan)): Promise<void> {
    // One that was about to go stays.
    await this.redis.multi().set(this.keys.plan(hash), json, 'NX').persist(this.keys.plan(hash)).exec();
  }

  /** The claim of whoever came first. */
  private async claim(key: string, header: Claim, idempotency: IdempotencyKey): Promise<Claim> {
    const { fingerprint } = partsOf(idempotency);
    const mine: Claim = { runId: header.runId, submittedAtMs: header.submittedAtMs, fingerprint };
    for (;;) {
      if ((await this.redis.set(key, JSON.stringify(mine), 'PX', IDEMPOTENCY_TTL_MS, 'NX')) === 'OK') return mine;
      const first = await this.redis.get(key);
      // Null: it lapsed, or its run was removed, between the two commands.
      if (first !== null) return checked(JSON.parse(first) as Claim, idempotency);
    }
  }
}

function partsOf(idempotency: IdempotencyKey): { key: string; fingerprint?: string } {
  return typeof idempotency === 'string' ? { key: idempotency } : idempotency;
}

function checked(claim: Claim, idempotency: IdempotencyKey): Claim {
  const { key, fingerprint } = partsOf(idempotency);
  if (fingerprint !== undefined && claim.fingerprint !== undefined && fingerprint !== claim.fingerprint)
    throw new IdempotencyConflictError(key, claim.runId);
  return claim;
}

/**
 * What the engine's decisions depend on besides the plan and the events: every number of it, by name. A run takes what counted when it was accepted
 * from its log (`RunAccepted.rules`), so that a replay under a later version decides as before. Nothing else of the engine has a number of its own
 * (eslint.config.mjs).
 *
 * Whoever changes a number changes `CURRENT_RULES`: runs that are under way keep theirs. Whoever changes what a number means, or what the engine
 * does with the same numbers, gives the rules the next version, keeps the way before for runs of that version, and records golden logs
 * (apps/scheduler/test/golden).
 */

export interface EngineRules {
  /** Of the engine's ways; this version of weft knows those up to `RULES_VERSION`. */
  version: number;
  /** Shards of scatters are begun until so many tasks wait to be started, once there are no more than `refillAt`. */
  shardsAhead: number;
  refillAt: number;
  /** Shards per EvaluateBindings: large enough to amortise an answer's append, small enough that tasks start early. */
  bindingChunk: number;
  /** Shards of one step, at most: each has a place in memory and in the log from its step's start. */
  maxShards: number;
  /** Wait before a task's second attempt; each wait is twice the one before, up to the longest. */
  retryBaseMs: number;
  retryMaxMs: number;
}

/** 2: independent users of a file that is changed in place are an error (in-place.ts); a run that went on after a failure ends with what succeeded. */
export const RULES_VERSION = 2;

/** For runs that are accepted now. */
export const CURRENT_RULES: EngineRules = {
  version: RULES_VERSION,
  shardsAhead: 1024,
  refillAt: 512,
  bindingChunk: 128,
  maxShards: 1_000_000,
  retryBaseMs: 500,
  retryMaxMs: 30_000,
};

/** What decided about runs whose logs say nothing of it. Never changes. */
const FIRST_RULES: EngineRules = {
  version: 1,
  shardsAhead: 1024,
  refillAt: 512,
  bindingChunk: 128,
  maxShards: 1_000_000,
  retryBaseMs: 500,
  retryMaxMs: 30_000,
};

/** A log that a later version of weft wrote. */
export class UnknownRulesError extends Error {
  override readonly name = 'UnknownRulesError';
}

/** What a run's log says that counts. @throws UnknownRulesError where this version does not know it */
export function rulesOf(logged: EngineRules | undefined): EngineRules {
  const rules = logged ?? FIRST_RULES;
  if (rules.version > RULES_VERSION)
    throw new UnknownRulesError(
      `the run was accepted by a later version of weft (rules ${rules.version}; this one knows those up to ${RULES_VERSION}): go on with that version`,
    );
  return rules;
}

/** Whether independent users of a file that is changed in place are an error, and a run that went on after a failure ends with what succeeded. */
export function since2({ version }: EngineRules): boolean {
  return version >= 2;
}

/** Exponential, and between half and the whole of it, so that tasks that failed together do not come back together. */
export function backOffMs({ retryBaseMs, retryMaxMs }: EngineRules, taskId: string, tried: number): number {
  let hash = tried;
  for (const char of taskId) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> 0;
  const spread = 0.5 + hash / 2 ** 33;
  return Math.round(Math.min(retryMaxMs, retryBaseMs * 2 ** (tried - 1)) * spread);
}

/**
 * Names of keys and channels.
 *
 * Invariant: everything of one result, and of the kept folders beside it, carries the hash tag of one of 16 buckets (the key's first digit), so
 * that in a cluster a script touches one slot.
 */

export const BUCKETS = [...'0123456789abcdef'];

export interface Keys {
  /** String: see `result-codec.ts`. */
  result(key: string): string;
  /** String: the holder. */
  claim(key: string): string;
  /** Channel: a piece of news. */
  news(key: string): string;
  /** Sorted set of kept folders by last use, milliseconds; 0: to be removed. */
  kept(bucket: string): string;
  /** Hash: bytes by kept folder. */
  keptBytes(bucket: string): string;
  /** Hash of a run: keys by the name of the task's folder. */
  run(runId: string): string;
}

export function createKeys(prefix: string): Keys {
  if (/[{}]/.test(prefix)) throw new RangeError(`the key prefix "${prefix}" must not have braces: they would replace the hash tags`);
  const tag = (bucket: string): string => `${prefix}{cache-${bucket}}`;
  const of = (key: string): string => tag(bucketOf(key));
  return {
    result: (key) => `${of(key)}:result:${key}`,
    claim: (key) => `${of(key)}:claim:${key}`,
    news: (key) => `${of(key)}:news:${key}`,
    kept: (bucket) => `${tag(bucket)}:kept`,
    keptBytes: (bucket) => `${tag(bucket)}:keptbytes`,
    run: (runId) => `${prefix}{cache-run-${runId}}:tasks`,
  };
}

export function bucketOf(key: string): string {
  const [first = ''] = key;
  if (!BUCKETS.includes(first)) throw new RangeError(`'${key}' is not a key of the call cache`);
  return first;
}

/** `runs/<run>/<task>.<attempt>/` → run and name of the task's folder; undefined for any other folder. */
export function taskFolder(folder: string): { runId: string; name: string } | undefined {
  const [, runId, name] = /^runs\/([^/]+)\/([^/]+)\/$/.exec(folder) ?? [];
  return runId === undefined || name === undefined ? undefined : { runId, name };
}

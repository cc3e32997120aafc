/**
 * What Redis holds once all runs are in the archive: nothing that grows with them, but for what has a time to live and what the call cache
 * keeps (READMEs of libs/run-store, libs/queue, libs/registry, libs/call-cache).
 */
import type { Redis } from 'ioredis';

interface Rule {
  keys: RegExp;
  /** It goes by itself. */
  lapses?: true;
}

const DOCUMENTED: readonly Rule[] = [
  { keys: /^weft:\{p\d\d\}:(archived|lease)$/ },
  { keys: /^weft:(format|secrets-key|archived:newest|replicas|pools)$/ },
  { keys: /^weft:\{p\d\d\}:idem:/, lapses: true },
  { keys: /^weft:\{p\d\d\}:run:[^:]*:removed$/, lapses: true },
  { keys: /^weft:plan:/, lapses: true },
  // The months in which runs were submitted, of all projects and of each.
  { keys: /^weft:runs:(all|project:[^:]*)$/ },
  { keys: /^weft:\{registry\}:(runners|seen|lapses|loads|drained)$/ },
  { keys: /^weft:\{cache-[0-9a-f]\}:(kept|keptbytes)$/ },
  { keys: /^weft:\{cache-[0-9a-f]\}:result:/, lapses: true },
  { keys: /^weft:\{cache-run-[^}]*\}:tasks$/, lapses: true },
  // What an earlier owner of the run has sent may come an hour later.
  { keys: /^weft:\{slots:[^}]*\}:token:/, lapses: true },
  { keys: /^\{weft:[^}]*\}:weft-tasks-[^:]*(:(meta|id|events|completed|marker|stalled-check))?$/ },
];
const QUEUE = /^(\{weft:[^}]*\}:weft-tasks-[^:]*):/;
const JOB = /^\{weft:[^}]*\}:weft-tasks-[^:]*:([^:]+\.\d+)$/;

export async function undocumentedKeys(redis: Redis): Promise<string[]> {
  const problems: string[] = [];
  for (const key of await allKeys(redis)) {
    const job = JOB.exec(key)?.[1];
    if (job !== undefined) {
      if ((await redis.zscore(`${QUEUE.exec(key)?.[1]}:completed`, job)) === null) problems.push(`job ${job} is in no state`);
      continue;
    }
    const rule = DOCUMENTED.find(({ keys }) => keys.test(key));
    if (!rule) problems.push(`key ${key}`);
    else if (rule.lapses && (await redis.ttl(key)) === -1) problems.push(`key ${key} stays for ever`);
  }
  return problems;
}

/** Channels that services listen to all the time; all others are of runs, of their watchers, and of results that are waited for. */
const LASTING = [
  /^weft:\{p\d\d\}:nudge$/,
  /^weft:cancels$/,
  /^weft:replicas:news$/,
  /^weft:slots-free$/,
  /^weft:demand$/,
  /^weft:\{registry\}:changed$/,
];

export async function leftSubscribers(redis: Redis): Promise<string[]> {
  const channels = (await redis.pubsub('CHANNELS')) as string[];
  return channels.filter((channel) => !LASTING.some((lasting) => lasting.test(channel))).map((channel) => `somebody listens to ${channel}`);
}

/** Connections of all services together. */
export async function connections(redis: Redis): Promise<number> {
  return String(await redis.client('LIST'))
    .trim()
    .split('\n').length;
}

async function allKeys(redis: Redis): Promise<string[]> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1000);
    for (const key of keys) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...found].sort();
}

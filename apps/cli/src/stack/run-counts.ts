/** How many runs there are and where, as the stack's Redis says. */
import { redisConnection } from '@weft/platform';
import { createRedisRunStore, type RunCounts } from '@weft/run-store';

/** @param url as WEFT_REDIS_URL. Rejects where that Redis does not answer at once. */
export async function runCounts(url: string): Promise<RunCounts> {
  let store: ReturnType<typeof createRedisRunStore> | undefined;
  try {
    return await new Promise<RunCounts>((resolve, reject) => {
      store = createRedisRunStore({ redis: redisConnection(url), onError: reject });
      store.retention.counts().then(resolve, reject);
    });
  } finally {
    await store?.close();
  }
}

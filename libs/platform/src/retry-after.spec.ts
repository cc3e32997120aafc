import { retryWhenTold } from './retry-after.js';
import { ServiceError } from './service-error.js';

const busy = (retryAfterMs?: number): ServiceError => new ServiceError('RESOURCE_EXHAUSTED', 'full', undefined, { retryAfterMs });

/** Fails with each error in turn, then answers. */
function failing(...errors: Error[]): () => Promise<string> {
  return () => {
    const error = errors.shift();
    return error ? Promise.reject(error) : Promise.resolve('taken');
  };
}

it('tries again as often as it is told to, saying so', async () => {
  const told: [number, string][] = [];
  const onWait = (waitMs: number, why: string): void => void told.push([waitMs, why]);
  expect(await retryWhenTold(failing(busy(1), busy(2)), { onWait })).toBe('taken');
  expect(told).toEqual([
    [1, 'full'],
    [2, 'full'],
  ]);
});

it.each([busy(), new ServiceError('UNAVAILABLE', 'away', undefined, { retryAfterMs: 1 }), new Error('other')])(
  'leaves %s to its caller',
  async (error) => {
    await expect(retryWhenTold(failing(error))).rejects.toBe(error);
  },
);

it('stops waiting when its signal aborts', async () => {
  const controller = new AbortController();
  const waiting = retryWhenTold(failing(busy(3_600_000)), { signal: controller.signal, onWait: () => controller.abort() });
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});

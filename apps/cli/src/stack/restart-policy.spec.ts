import fc from 'fast-check';
import { RESTARTS, restartDelay } from './restart-policy.js';

describe('restartDelay', () => {
  it.each([
    { deaths: [1_000], delay: 100 },
    { deaths: [1_000, 1_200], delay: 200 },
    { deaths: [1_000, 1_200, 1_500], delay: 400 },
    { deaths: [1_000, 2_000, 3_000, 4_000, 5_000, 6_000], delay: undefined },
    { deaths: [1_000, 200_000], delay: 100 },
    // One that takes long to start and dies each time is given up, too.
    { deaths: [0, 29_000, 58_000, 87_000, 116_000, 145_000], delay: undefined },
    { deaths: [0, 29_000, 60_000, 87_000, 116_000, 145_000], delay: 800 },
  ])('waits $delay ms after deaths at $deaths', ({ deaths, delay }) => {
    expect(restartDelay(deaths)).toBe(delay);
  });

  it('never waits longer than the maximum and gives up only after too many deaths in a row', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300_000), { minLength: 1 }), (times) => {
        const deaths = [...times].sort((a, b) => a - b);
        const lastPause = deaths.findLastIndex((at, n) => n > 0 && at - (deaths[n - 1] ?? 0) > RESTARTS.rowMs);
        const row = deaths.length - Math.max(0, lastPause);
        const delay = restartDelay(deaths);
        expect(delay === undefined).toBe(row > RESTARTS.maxDeaths);
        expect(delay ?? 0).toBeLessThanOrEqual(RESTARTS.maxDelayMs);
      }),
    );
  });
});

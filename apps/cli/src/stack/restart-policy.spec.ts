import fc from 'fast-check';
import { RESTARTS, restartDelay } from './restart-policy.js';

describe('restartDelay', () => {
  it.each([
    { deaths: [1_000], delay: 100 },
    { deaths: [1_000, 1_200], delay: 200 },
    { deaths: [1_000, 1_200, 1_500], delay: 400 },
    { deaths: [1_000, 2_000, 3_000, 4_000, 5_000, 6_000], delay: undefined },
    { deaths: [1_000, 200_000], delay: 100 },
  ])('waits $delay ms after deaths at $deaths', ({ deaths, delay }) => {
    expect(restartDelay(deaths)).toBe(delay);
  });

  it('never waits longer than the maximum and gives up only when too many died in the window', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300_000), { minLength: 1 }), (times) => {
        const deaths = times.sort((a, b) => a - b);
        const recent = deaths.filter((at) => (deaths.at(-1) ?? 0) - at <= RESTARTS.windowMs).length;
        const delay = restartDelay(deaths);
        expect(delay === undefined).toBe(recent > RESTARTS.maxDeaths);
        expect(delay ?? 0).toBeLessThanOrEqual(RESTARTS.maxDelayMs);
      }),
    );
  });
});

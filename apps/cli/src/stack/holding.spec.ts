import { Holding } from './holding.js';
import type { HeldClaim } from './lock/claims.js';

/** Answers what is scripted, look by look; a look that comes after that says so. */
function scripted(looks: (boolean | 'away')[], onMore: () => void) {
  let beats = 0;
  const claim = {
    beat: async () => void (beats += 1),
    tidy: async () => undefined,
    stillCounts: async () => {
      const next = looks.shift();
      if (next === undefined) onMore();
      if (next === 'away') throw Object.assign(new Error('stale'), { code: 'ESTALE' });
      return next ?? true;
    },
  };
  return { claim: claim as unknown as HeldClaim, beats: () => beats };
}

it('a holder goes on while its file system is away, and ends, without another beat, once it has been followed', async () => {
  const ended = await new Promise<string>((resolve) => {
    const { claim, beats } = scripted([true, 'away', true, false], () => resolve('went on'));
    void new Holding(claim, 1, () => resolve(`lost after ${beats()} beats`)).start();
  });
  expect(ended).toBe('lost after 3 beats');
});

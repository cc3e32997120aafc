import fc from 'fast-check';
import { SecretMask } from './secret-mask.js';

const streamed = (mask: SecretMask, pieces: Buffer[]): string => {
  const stream = mask.stream();
  return Buffer.concat([...pieces.map((piece) => stream.push(piece)), stream.end()]).toString('latin1');
};
const cut = (data: Buffer, at: number[]): Buffer[] => {
  const places = [0, ...at.map((one) => one % (data.length + 1)).sort((a, b) => a - b), data.length];
  return places.slice(1).map((to, n) => data.subarray(places[n], to));
};

it.each([
  [['hunter2'], 'the password is hunter2!', 'the password is (secret)!'],
  [['ab', 'abc'], 'abc ab', '(secret) (secret)'],
  [['aa'], 'aaa', '(secret)a'],
  [['line one\nline two'], 'x line one\nline two y', 'x (secret) y'],
  [['pä$$'], 'pä$$', '(secret)'],
  [['', 'x'], 'axb', 'a(secret)b'],
  [[], 'nothing', 'nothing'],
])('%j in %j is masked', (secrets, text, expected) => {
  const mask = new SecretMask(secrets);
  expect(mask.text(text)).toBe(expected);
  for (const size of [1, 2, 3]) {
    const data = Buffer.from(text);
    const pieces = Array.from({ length: Math.ceil(data.length / size) }, (_, n) => data.subarray(n * size, (n + 1) * size));
    expect(Buffer.from(streamed(mask, pieces), 'latin1').toString()).toBe(expected);
  }
});

it('no secret is in what comes out, however it comes in, and all else is', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(letters, { minLength: 1, maxLength: 3 }),
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 6 })),
      fc.array(fc.nat()),
      (secrets, words, at) => {
        const mask = new SecretMask(secrets);
        const data = Buffer.from(words.join(''));
        const out = streamed(mask, cut(data, at));
        // In pieces as in one.
        expect(out).toBe(mask.bytes(data).toString());
        for (const rest of out.split('(secret)')) for (const secret of secrets) expect(rest).not.toContain(secret);
      },
    ),
  );
});

it('the end of a file shows nothing of a secret that begins before it', () => {
  const secret = '0123456789';
  const mask = new SecretMask([secret]);
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 30 }), (before, after, most) => {
      const text = `${'x'.repeat(before)}${secret}${'y'.repeat(after)}`;
      const from = Math.max(0, text.length - most - mask.longest);
      const shown = mask.end(Buffer.from(text.slice(from)), from === 0 ? 0 : mask.longest).toString();
      expect(shown.replace('(secret)', '')).toMatch(/^x*y*$/);
    }),
  );
});

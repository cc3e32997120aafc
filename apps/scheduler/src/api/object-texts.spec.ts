/** Objects in messages, and in pieces. */
import fc from 'fast-check';
import type { CwlObject } from '@weft/plan';
import { jsonPieces, NO_OBJECT, OMITTED, shownObject, shownText } from './object-texts.js';

async function textOf(value: CwlObject): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of jsonPieces(value)) pieces.push(piece);
  expect(Math.max(0, ...pieces.map(({ length }) => length))).toBeLessThanOrEqual(256 * 1024);
  return Buffer.concat(pieces).toString();
}

it('pieces are the JSON of the value', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 })), async (value) => {
      expect(await textOf(value as CwlObject)).toBe(JSON.stringify(value));
    }),
  );
});

it('pieces of what is long, and deep, are short', async () => {
  const long = { text: 'ä'.repeat(500_000), numbers: Array.from({ length: 100_000 }, (_, n) => n) };
  expect(await textOf(long)).toBe(JSON.stringify(long));
  let deep: CwlObject = {};
  for (let level = 0; level < 50_000; level += 1) deep = { d: [deep] };
  expect((await textOf(deep)).length).toBe(2 + 50_000 * 8);
});

it('messages have what is short, and say of the rest that it is there', () => {
  expect(shownObject(undefined, 100)).toEqual(NO_OBJECT);
  expect(shownObject({ a: 'x'.repeat(92) }, 100)).toEqual({ json: JSON.stringify({ a: 'x'.repeat(92) }), omitted: false });
  expect(shownObject({ a: 'x'.repeat(93) }, 100)).toEqual(OMITTED);
  expect(shownObject({ a: 'ä'.repeat(50) }, 100)).toEqual(OMITTED);
  expect(shownObject({ a: Array.from({ length: 40 }, () => 1) }, 100)).toEqual(OMITTED);
  expect(shownText('{}', 1)).toEqual(OMITTED);
});

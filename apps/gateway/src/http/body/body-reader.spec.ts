/** Large bodies are read elsewhere, and say the same. Events are ordered, nothing is timed. */
import { isServiceError } from '@weft/platform';
import fc from 'fast-check';
import { BodyReader } from './body-reader.js';
import { JsonPart } from './json-part.js';
import { readBody } from './read-body.js';

const reader = new BodyReader();
afterAll(() => reader.close());

/** Above what is read inline. */
const PADDING = `,"padding":"${'x'.repeat(70_000)}"}`;
const large = (members: string): Buffer => Buffer.from(`{${members}${PADDING}`);
const read = (bytes: Buffer): Promise<Record<string, unknown>> => reader.read(bytes, 'a') as Promise<Record<string, unknown>>;

it('says of a large body what it says of a small one', async () => {
  const members = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__' && key !== 'padding'),
    fc.jsonValue(),
    { minKeys: 1, noNullPrototype: true },
  );
  await fc.assert(
    fc.asyncProperty(members, fc.constantFrom(0, 2), async (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const inner = text.slice(text.indexOf('{') + 1, text.lastIndexOf('}'));
      const { padding, ...rest } = await read(large(inner));
      expect(rest).toEqual(readBody(Buffer.from(text)).value);
      expect(padding).toHaveLength(70_000);
    }),
    { numRuns: 60 },
  );
});

it('leaves a part of many values as its text, and hands over the others', async () => {
  const list = Array.from({ length: 20_000 }, (_, i) => i);
  const written = ` {"n" : ${JSON.stringify(list)}, "o": 12345678901234567890123 } `.replace(
    '12345678901234567890123',
    '1234567890123456789',
  );
  const { inputs, cwl, labels } = await read(large(`"cwl":"text","inputs":${written},"labels":{"a":"b"}`));
  expect(inputs).toBeInstanceOf(JsonPart);
  expect(inputs).toMatchObject({ text: written.trim(), kind: 'object', keys: ['n', 'o'] });
  expect([cwl, labels]).toEqual(['text', { a: 'b' }]);
});

it.each([
  ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ['no JSON', Buffer.from('{"a":}')],
  ['no end', Buffer.from('{"a":[1')],
  ['more after the end', Buffer.from('{"a":1} x')],
  ['a key that stands twice', Buffer.from('{"a":{"b":1,"\\u0062":2}}')],
  ['a prototype', Buffer.from('{"a":{"__proto__":{}}}')],
  ['numbers that nobody holds', Buffer.from('{"a":1e999}')],
  ['deep lists', Buffer.from(`{"a":${'['.repeat(300)}${']'.repeat(300)}}`)],
])('refuses %s in the same words, in a large body and in a small one', async (_, bytes) => {
  const here = await reader.read(bytes, 'a').catch((error: unknown) => error);
  const elsewhere = await reader.read(Buffer.concat([bytes, Buffer.alloc(70_000, ' ')]), 'a').catch((error: unknown) => error);
  for (const error of [here, elsewhere]) expect(isServiceError(error) && error.code).toBe('INVALID_ARGUMENT');
  const sentence = (error: unknown): string => (error as Error).message.replace(/position \d+|, \.\.\..*|\s+"? is not/g, '');
  expect(sentence(elsewhere).slice(0, 40)).toBe(sentence(here).slice(0, 40));
});

it.each([
  ['a list', Buffer.from(`[${'1,'.repeat(50_000)}1]`), 'the body is no JSON object'],
  ['a lone text', Buffer.from(`"${'x'.repeat(70_000)}"`), 'the body is no JSON object'],
  ['many fields', large(Array.from({ length: 12_001 }, (_x, i) => `"f${i}":1`).join(',')), 'the body has 12002 fields; 12000 are allowed'],
  ['many values', large(`"a":[${'1,'.repeat(2_000_200)}1]`), 'the body has more than 2000100 values; put what is large into files'],
])('refuses %s', async (_, bytes, message) => {
  await expect(read(bytes)).rejects.toThrow(message);
});

it('nothing but white space is no body, however much of it', async () => {
  expect(await reader.read(Buffer.alloc(10, ' '), 'a')).toBeUndefined();
  expect(await reader.read(Buffer.alloc(100_000, ' '), 'a')).toBeUndefined();
});

it('others are answered while a large body is being read', async () => {
  const order: string[] = [];
  const slow = read(large(`"a":[${'{},'.repeat(400_000)}1]`)).then(() => order.push('large'));
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await reader.read(Buffer.from('{"a":1}'), 'b').then(() => order.push('small'));
  await slow;
  expect(order).toEqual(['small', 'large']);
});

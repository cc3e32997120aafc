import { sentenceOf } from './fault.js';

const kept: string[] = [];
const quiet = { keep: (trace: string): string => `/logs/${kept.push(trace)}`, wantsTrace: false };
const system = Object.assign(new Error("EACCES: permission denied, mkdir '/.weft'"), { code: 'EACCES', syscall: 'mkdir' });

beforeEach(() => (kept.length = 0));

it.each<[string, unknown, string]>([
  ['a fault', new TypeError('x is undefined'), "a fault of weft's own: x is undefined (its trace is in /logs/1)"],
  ['one of many lines', new Error('first\nsecond'), "a fault of weft's own: first (its trace is in /logs/1)"],
  ['something that is no error', 'text', "a fault of weft's own: text (its trace is in /logs/1)"],
  ['an error of the system', system, "EACCES: permission denied, mkdir '/.weft'"],
])('%s is one sentence', (_what, error, sentence) => {
  expect(sentenceOf(error, quiet)).toBe(sentence);
});

it('keeps the trace of a fault, and shows it where it is wanted', () => {
  const error = new TypeError('x is undefined');
  sentenceOf(error, quiet);
  expect(kept).toEqual([error.stack]);
  expect(sentenceOf(error, { ...quiet, wantsTrace: true })).toBe(`a fault of weft's own: ${error.stack}`);
});

it('says how to see the trace where it can be kept nowhere', () => {
  expect(sentenceOf(new Error('x'), { keep: () => undefined, wantsTrace: false })).toBe(
    "a fault of weft's own: x (WEFT_DEBUG=1 shows where)",
  );
});

import { memorySize } from './memory-size.js';

it.each([
  ['64m', 64 * 1024 ** 2],
  ['64M', 64 * 1024 ** 2],
  ['64mb', 64 * 1024 ** 2],
  [' 1g\n', 1024 ** 3],
  ['12k', 12 * 1024],
  ['4096', 4096],
  ['4096b', 4096],
])('%j', (text, bytes) => expect(memorySize(text)).toBe(bytes));

it.each(['', 'm', '0', '0m', '-1m', '1.5g', '64 m', '64t', '64mm', '64bb', '9999999999999g', '1e3', '٣m', `${'9'.repeat(400)}`])(
  '%j is none',
  (text) => {
    expect(memorySize(text)).toBeUndefined();
  },
);

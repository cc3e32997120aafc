/** What somebody who reaches Redis may say where our own messages are expected: no message of ours, near to one, or beyond any length. */
const NOT_OURS = ['', ' ', 'no JSON', '{', '{}', 'null', '[]', '0', '-1', 'NaN', '\u0000', '\ud800'];
const NEARLY_OURS = [
  ...['Infinity r-1', '1e400 r-1', '99999999999999999999 r-1', '-5 r-1', '1.5 r-1', '2 ', ' r-1', '2  r-1', '2 r-1\n3 r-1'],
  ...['2 r-of-another-partition', 'r-1-1', 'r-1-1.', 'r-1-1.x', '.1', 'r-1-1.1e9', 'r-1-1.1  r-1-2.1'],
  ...['__proto__', 'constructor 1', '1 __proto__'],
];
const TOO_LONG = ['x'.repeat(70_000), '1 '.repeat(40_000), 'r-1-1.1 '.repeat(9_000)];

export const HOSTILE_MESSAGES: readonly string[] = [...NOT_OURS, ...NEARLY_OURS, ...TOO_LONG];

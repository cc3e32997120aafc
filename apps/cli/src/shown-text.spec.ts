import fc from 'fast-check';
import { shownLine, shownLogLine, shownText } from './shown-text.js';

const ESC = '\u001b';

it.each([
  [`${ESC}[2Jgone`, '␛[2Jgone'],
  [`${ESC}]0;title\u0007`, '␛]0;title␇'],
  ['a\rb', 'a␍b'],
  ['\u009b31m\u007f', '\\x9b31m␡'],
  ['Grüße, 世界\t1\n2', 'Grüße, 世界\t1\n2'],
])('shows %j as %j', (text, shown) => expect(shownText(text)).toBe(shown));

it('makes one line of names', () => expect(shownLine('a\nb')).toBe('a␊b'));

it.each([
  [`${ESC}[31mred${ESC}[0m`, `${ESC}[31mred${ESC}[0m${ESC}[0m`],
  [`${ESC}[1;31mred${ESC}[2J`, `${ESC}[1;31mred␛[2J${ESC}[0m`],
  ['10 %\r20 %\r100 %', '100 %'],
  ['windows\r', 'windows'],
])('of a log line %j keeps colours and what was written last: %j', (line, shown) => expect(shownLogLine(line)).toBe(shown));

it('leaves no command in any text', () => {
  const parts = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(ESC, '[31m', '\r', '\u009b', '[2J', '\u0007'));
  fc.assert(
    fc.property(fc.array(parts), (texts) => {
      const text = texts.join('');
      expect(shownLogLine(text.replaceAll('\n', '')).replace(/\u001b\[[0-9;]*m/g, '')).not.toMatch(/(?!\t)\p{Cc}/u);
      expect(shownText(text)).not.toMatch(/(?![\t\n])\p{Cc}/u);
    }),
  );
});

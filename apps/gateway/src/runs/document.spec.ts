import { isServiceError } from '@weft/platform';
import fc from 'fast-check';
import { checkedBundle, inlineBundle } from './document.js';

const problemOf = (make: () => unknown): string | undefined => {
  try {
    make();
    return undefined;
  } catch (error) {
    expect(isServiceError(error)).toBe(true);
    return (error as Error).message;
  }
};
const lone = (text: string): string | undefined => problemOf(() => inlineBundle('cwl', text));

it.each<[string, RegExp | undefined]>([
  ['', /^cwl is empty/],
  [' \n\t\r\n', /^cwl is empty/],
  ['# a\n  # b', /^cwl holds only comments/],
  ['---\n# a\n', /^cwl holds only comments/],
  ['workflow.cwl', /^cwl is the text 'workflow.cwl'/],
  ['  workflow.cwl  \r\n', /^cwl is the text 'workflow.cwl'/],
  ['---\nworkflow.cwl\n# a', /^cwl is the text 'workflow.cwl'/],
  ['class: X', undefined],
  ['{}', undefined],
  ['a\nb', undefined],
  [`${' '.repeat(50_000)}workflow.cwl`, /^cwl is the text 'workflow.cwl'/],
  [`# ${'x'.repeat(50_000)}\nclass: X`, undefined],
  ['x'.repeat(50_000), /^cwl is the text 'x{80}'/],
])('a document that begins %j', (text, problem) => {
  if (problem === undefined) expect(lone(text)).toBeUndefined();
  else expect(lone(text)).toMatch(problem);
});

it('says of any lines what a look at all of them says', () => {
  const line = fc.constantFrom('', '  ', '# c', '  # c', '---', 'word', 'a: b', '\tword', '{', '----');
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), (lines, end) => {
      const telling = lines.map((text) => text.trim()).filter((text) => text !== '' && !text.startsWith('#') && text !== '---');
      const isDocument = telling.length > 1 || (telling.length === 1 && /[:{]/.test(telling[0] ?? ''));
      expect(lone(lines.join(end)) === undefined).toBe(isDocument);
    }),
  );
});

it('of many files a few are named', () => {
  const files = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`file:///${i}`, 'a: b']));
  const problem = problemOf(() => checkedBundle('cwl', { rootUri: 'file:///x', files, part: undefined }));
  expect(problem).toMatch(/is none of the files \(file:\/\/\/0, .*, 9990 more\)$/);
});

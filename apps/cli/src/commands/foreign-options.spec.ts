import { fromDocumentOn, insteadOf } from './foreign-options.js';

const known = ['--outdir', '--quiet'];

it.each<[string[], string[]]>([
  [
    ['a.cwl', 'job.yml'],
    ['a.cwl', 'job.yml'],
  ],
  [
    ['-', '--x', '1'],
    ['-', '--x', '1'],
  ],
  [
    ['--strict', '--debug', 'a.cwl', '--strict'],
    ['a.cwl', '--strict'],
  ],
])('%j begins with its document', (args, expected) => {
  expect(fromDocumentOn(args, known)).toEqual(expected);
});

it.each<[string[], RegExp]>([
  [['--cachedir', 'c', 'a.cwl'], /no option '--cachedir': results are kept .* --no-cache/],
  [['--cachedir=c', 'a.cwl'], /no option '--cachedir': results/],
  [['--print-dot', 'a.cwl'], /weft graph/],
  [['--outdri', 'x', 'a.cwl'], /no option '--outdri'; did you mean '--outdir'\?/],
  [['--constructor', 'a.cwl'], /no option '--constructor': `weft run --help`/],
  [['--strict'], /needs a document/],
])('%j is refused', (args, message) => {
  expect(() => fromDocumentOn(args, known)).toThrow(message);
});

it('knows what to do instead by name alone', () => {
  expect([insteadOf('--pack'), insteadOf('--x'), insteadOf('toString')].map((text) => text !== undefined)).toEqual([true, false, false]);
});

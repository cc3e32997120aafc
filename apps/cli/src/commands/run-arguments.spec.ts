import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runOptions } from '../program.js';
import { foreignOption, insteadOf } from './foreign-options.js';
import { ownArguments } from './run-arguments.js';

const known = runOptions();

interface Elsewhere {
  version: string;
  options: { names: string[]; value: boolean }[];
}

/** All options of cwltool, also those that its help does not list, as its parser has them; see `version` for which. */
const cwltool = JSON.parse(readFileSync(fileURLToPath(new URL('cwltool-options.json', import.meta.url)), 'utf8')) as Elsewhere;

it('has cwltool’s whole list', () => {
  expect(cwltool.version).toMatch(/^3\.3\./);
  expect(cwltool.options.length).toBeGreaterThan(90);
  // None of cwltool's is answered by nothing more than that it is not there.
  expect(cwltool.options.flatMap(({ names }) => names).filter((name) => !known.has(name) && foreignOption(name) === undefined)).toEqual([]);
});

describe.each(cwltool.options.flatMap(({ names, value }) => names.map((name) => [name, value] as const)))(
  '%s of cwltool',
  (name, value) => {
    const given = value ? [[name, '3'], name.startsWith('--') ? [`${name}=3`] : [`${name}3`]] : [[name]];

    it('is taken, or answered with a sentence that says what does it here', () => {
      if (known.has(name)) return expect(foreignOption(name)).toBeUndefined();
      const foreign = foreignOption(name);
      expect(foreign?.value === true).toBe(value);
      if (foreign?.kind === 'instead' || foreign?.kind === 'told') expect(foreign.text).toMatch(/^\S.{12,}[^.]$/);
      else expect(foreign?.kind).toMatch(/^(so|as|command)$/);
    });

    it.each(given)('(%s %s) leaves the document alone', (...option) => {
      const args = option.filter((part): part is string => typeof part === 'string');
      if (foreignOption(name)?.kind === 'instead') {
        expect(() => ownArguments([...args, 'doc.cwl', 'job.yml'], known)).toThrow(new RegExp(`^${name}: `));
        return;
      }
      const { args: own, command } = ownArguments([...args, 'doc.cwl', 'job.yml', '--x', '1'], known);
      if (command !== undefined) return expect(own).toEqual([...command, 'doc.cwl']);
      expect(own.slice(own.indexOf('doc.cwl'))).toEqual(['doc.cwl', 'job.yml', '--x', '1']);
      // What is in front of it is weft's own, each with its value.
      const front = own.slice(0, own.indexOf('doc.cwl'));
      expect(
        front
          .filter((part) => part.startsWith('-'))
          .every((part) => known.has(part.startsWith('--') ? part.replace(/=.*/, '') : part.slice(0, 2))),
      ).toBe(true);
      // A value that nothing in front of it takes would be the document.
      expect(front.filter((part, n) => !part.startsWith('-') && known.get(front[n - 1] ?? '') !== true)).toEqual([]);
      expect(ownArguments(own, known)).toEqual({ args: own, told: [] });
    });
  },
);

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
  [
    ['--outdir', '--strict', '--parallel', 'a.cwl', '--parallel', '3'],
    ['--outdir', '--strict', 'a.cwl', '--parallel', '3'],
  ],
  [
    ['--parallel', '2', 'a.cwl'],
    ['--parallel', '2', 'a.cwl'],
  ],
  [
    ['--parallel-max', '2', '--no-warnings', 'a.cwl'],
    ['--parallel', '2', '--quiet', 'a.cwl'],
  ],
  [
    ['--label', 'a=b', 'a.cwl'],
    ['--label', 'a=b', 'a.cwl'],
  ],
  [
    ['--strict', '--', '--odd.cwl'],
    ['--', '--odd.cwl'],
  ],
])('%j becomes %j', (args, expected) => {
  expect(ownArguments(args, known)).toEqual({ args: expected, told: [] });
});

it.each<[string[], RegExp]>([
  [['--singularity', 'a.cwl'], /^--singularity: images run with Docker/],
  [['--provenance=c', 'a.cwl'], /^--provenance: no record of provenance is written yet/],
  [['--outdri', 'x', 'a.cwl'], /no option '--outdri'; did you mean '--outdir'\?/],
  [['--constructor', 'a.cwl'], /no option '--constructor': `weft run --help`/],
])('%j is refused', (args, message) => {
  expect(() => ownArguments(args, known)).toThrow(message);
});

it('knows what to do instead by name alone', () => {
  expect(['--pack', '--strict-memory-limit', '--x', 'toString'].map((name) => insteadOf(name) !== undefined)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

import { rawWorld, unnameable } from './unnameable.js';

const bad = Buffer.from([0x64, 0xe9, 0x6a, 0xe0]);
const good = Buffer.from('déjà/😀/\uFFFD');

it.each<[string, Parameters<typeof unnameable>[0], string | undefined]>([
  ['nothing is known', { words: undefined, directory: undefined, variables: undefined }, undefined],
  ['all of it is UTF-8', { words: [good], directory: good, variables: [good] }, undefined],
  ['an argument', { words: [good, bad], directory: good, variables: [] }, "argument 2 ('d\\xe9j\\xe0') is not UTF-8"],
  ['the directory', { words: [good], directory: bad, variables: [] }, "the working directory's name ('d\\xe9j\\xe0') is not UTF-8"],
  [
    'a path in the environment',
    { words: [], directory: good, variables: [Buffer.concat([Buffer.from('WEFT_HOME='), bad])] },
    'WEFT_HOME=d',
  ],
  ['a variable that weft does not open', { words: [], directory: good, variables: [Buffer.concat([Buffer.from('PS1='), bad])] }, undefined],
])('%s', (_, world, wanted) => {
  const why = unnameable(world);
  if (wanted === undefined) expect(why).toBeUndefined();
  else expect(why).toContain(wanted);
});

it('is found as the system holds it', () => {
  const { words, directory, variables } = rawWorld();
  expect(directory?.toString()).toBe(process.cwd());
  expect(words).toHaveLength(process.argv.length - 2);
  expect(variables?.some((one) => one.toString().startsWith('PATH='))).toBe(true);
});

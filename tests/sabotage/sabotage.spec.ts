/** The list of undoings as it lies here; nothing is undone. */
import { resolve } from 'node:path';
import { rulesOf } from './rules.js';
import { problemsOf, readPages, undoingsOf, unmatched } from './undoings.js';
import { type TestResult, verdictOf, whyNotGreen } from './verdict.js';

const ROOT = resolve('.');
const pages = readPages(ROOT);

describe('the list', () => {
  it('finds each text that it takes out exactly once, and each spec', () => {
    expect(undoingsOf(pages).length).toBeGreaterThan(100);
    expect(undoingsOf(pages).flatMap((one) => problemsOf(ROOT, one))).toEqual([]);
  });

  it('has every rule of its documents, and no others', () => {
    expect(unmatched(ROOT, pages)).toEqual([]);
  });

  it('says what is stale', () => {
    const edits = [
      { file: 'package.json', take: '"no such text"', put: '' },
      { file: 'package.json', take: '"weft"', put: '"weft"' },
      { file: 'gone.ts', take: 'x', put: '' },
    ];
    const red = [{ spec: 'gone.spec.ts', tests: ['x'] }];
    expect(problemsOf(ROOT, { section: 'S', rule: 'r', edits, red, hangs: false })).toEqual([
      'S: r: found 0 times in package.json, not once: "\\"no such text\\""',
      'S: r: what is put into package.json is what was there',
      'S: r: found 0 times in gone.ts, not once: "x"',
      'S: r: there is no gone.spec.ts',
    ]);
  });
});

it('rules are the first cells of rows and what stands in bold before a list’s items', () => {
  const text = [
    ...['# D', '## A', '| rule | kept |', '| ---- | ---- |', '| one  | x |', '| two: `a` | y |', '', '- **Three.** More.', '- four'],
    ...['```', '| not | one |', '```', '## B', '- **Five**: more **bold**'],
  ];
  expect(rulesOf(text.join('\n'))).toEqual([
    { section: 'A', rule: 'one' },
    { section: 'A', rule: 'two: `a`' },
    { section: 'A', rule: 'Three' },
    { section: 'B', rule: 'Five' },
  ]);
});

describe('a verdict', () => {
  const failed = (text: string): TestResult => ({ fullName: 'd a test', status: 'failed', failures: [text] });
  const passed: TestResult = { fullName: 'd a test', status: 'passed', failures: [] };

  it.each<[string, TestResult[], string[], boolean, string | RegExp]>([
    ['an assertion', [failed('Error: expect(received).toBe(expected)')], [], false, 'd a test'],
    ['an error of the product', [failed("Error: EEXIST: file already exists, mkdir 'x'")], [], false, 'd a test'],
    ['nothing', [passed], [], false, /^stays green: "a test"$/],
    ['what is no program', [failed('ReferenceError: x is not defined')], [], false, /^fails for another reason: ReferenceError/],
    ['output that is no JSON', [failed('SyntaxError: Unexpected end of JSON input')], [], false, 'd a test'],
    ['what is no function', [failed('TypeError: x.f is not a function')], [], false, /^fails for another reason/],
    ['a hang', [failed('thrown: "Exceeded timeout of 5 ms for a test.')], [], false, /^fails for another reason/],
    ['a hang that is known', [failed('thrown: "Exceeded timeout of 5 ms for a test.')], [], true, 'd a test'],
    ['a file that does not load', [], ['SyntaxError: Unexpected token'], false, /^its tests cannot run: SyntaxError/],
    ['the failure of another test', [{ ...failed('Error: x'), fullName: 'other' }, passed], [], false, /^stays green/],
  ])('by %s', (_what, tests, broken, hangs, expected) => {
    const verdict = verdictOf({ tests, broken }, ['a test'], hangs);
    if (typeof expected === 'string') expect(verdict).toEqual({ isRed: true, by: expected });
    else expect(verdict).toEqual({ isRed: false, why: expect.stringMatching(expected) });
  });

  it.each<[string, TestResult[], RegExp | undefined]>([
    ['all that are named pass', [passed], undefined],
    ['one fails by itself', [failed('Error: x')], /^"a test" failed before anything was undone: Error: x$/],
    ['one is left out', [{ ...passed, status: 'pending' }], /^"a test" pending before/],
    ['there is none', [], /^no test has "a test" in its name$/],
  ])('of the tests as they are: %s', (_what, tests, expected) => {
    const why = whyNotGreen({ tests, broken: [] }, ['a test']);
    if (expected === undefined) expect(why).toBeUndefined();
    else expect(why).toMatch(expected);
  });
});

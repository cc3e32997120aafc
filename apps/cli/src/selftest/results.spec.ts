import { add, closingLine, exitCodeOf, failure, NOTHING, skip, summaryLines, tallyOfChaos, tallyOfJest, tallyOfSuite } from './results.js';

const escape = String.fromCharCode(27);
const JEST = {
  ...{ numPassedTests: 3, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1, numRuntimeErrorTestSuites: 1 },
  testResults: [
    {
      ...{ name: '/r/libs/a.spec.ts', status: 'failed', message: 'long' },
      assertionResults: [
        { fullName: 'a does b', status: 'passed' },
        { fullName: 'a does c', status: 'failed' },
        { fullName: 'a will do d', status: 'todo' },
      ],
    },
    { name: '/r/libs/b.spec.ts', status: 'failed', message: `  ● ${escape}[1mSyntaxError${escape}[22m: no\n\nmore`, assertionResults: [] },
    { name: '/r/libs/c.spec.ts', status: 'passed', message: '', assertionResults: [{ fullName: 'c', status: 'pending' }] },
  ],
};

describe('results', () => {
  it('count a test file that broke as a failure, and name what failed and what was skipped', () => {
    expect(tallyOfJest(JSON.stringify(JEST), '/r')).toEqual({
      ...{ passed: 3, failed: 2, skipped: 2 },
      failures: ['libs/a.spec.ts › a does c', 'libs/b.spec.ts: ● SyntaxError: no'],
      skips: ['libs/a.spec.ts › a will do d', 'libs/c.spec.ts › c'],
    });
  });

  it('refuse a report that does not say what is needed', () => {
    expect(() => tallyOfJest('{"numPassedTests": 3}', '/r')).toThrow();
  });

  it.each([
    [{ passed: 3, failed: 0, skipped: 0 }, '3 passed, 0 failed', 0, 0],
    [{ passed: 3, failed: 1, skipped: 0 }, '3 passed, 1 failed', 1, 1],
    [{ passed: 3, failed: 0, skipped: 2 }, '3 passed, 0 failed, 2 skipped', 0, 1],
    [{ passed: 0, failed: 0, skipped: 0 }, '0 passed, 0 failed', 1, 1],
  ])('%j closes with "%s", exit %i, %i in CI', (counts, line, exitCode, exitCodeInCi) => {
    const tally = { ...NOTHING, ...counts };
    expect(closingLine(tally)).toBe(line);
    expect(exitCodeOf(tally, false)).toBe(exitCode);
    expect(exitCodeOf(tally, true)).toBe(exitCodeInCi);
  });

  it('add up', () => {
    const [a, b] = [
      { ...failure('x'), passed: 1, skipped: 3 },
      { ...skip('y'), passed: 10, failed: 20 },
    ];
    expect(add(a, b)).toEqual({ passed: 11, failed: 21, skipped: 4, failures: ['x'], skips: ['y'] });
  });

  it('count every test of a conformance suite but those that could not be judged', () => {
    const results = [
      { id: 'a', passed: true },
      { id: 'b', passed: false },
      { id: 'c', passed: false, apart: 'no such host' },
    ];
    expect(tallyOfSuite(JSON.stringify({ results }), 'v1')).toEqual({ ...NOTHING, passed: 1, failed: 1, failures: ['v1 › b'] });
    expect(() => tallyOfSuite('{"results":[]}', 'v1')).toThrow();
  });

  it('count every oracle of a chaos test', () => {
    const verdicts = [
      { name: 'a', problems: [] },
      { name: 'b', problems: ['something was left', 'and more'] },
    ];
    expect(tallyOfChaos(JSON.stringify({ verdicts }))).toEqual({
      ...{ ...NOTHING, passed: 1, failed: 1 },
      failures: ['b: something was left'],
    });
    expect(() => tallyOfChaos('{"verdicts":[]}')).toThrow();
  });

  it('end with how long each part took, what was skipped, and what failed', () => {
    const tallies = { unit: { ...NOTHING, passed: 3, failed: 1, failures: ['x › y'] }, docker: skip('no engine answers') };
    const parts = [
      { part: 'unit', tally: tallies.unit, seconds: 83.4 },
      { part: 'docker', tally: tallies.docker, seconds: 0.2 },
    ];
    expect(summaryLines(parts, true)).toEqual([
      'unit   1:23 min  3 passed, 1 failed',
      'docker     0 s  0 passed, 0 failed, 1 skipped',
      'skipped, which is a failure in CI:',
      '  docker: no engine answers',
      'failed:',
      '  unit: x › y',
    ]);
    const many = Array.from({ length: 250 }, (_, n) => `t${n}`);
    const lines = summaryLines([{ part: 'unit', tally: { ...NOTHING, failed: 250, failures: many }, seconds: 1 }], false);
    expect([lines.length, lines.at(-1)]).toEqual([103, '  unit: and 150 more']);
  });
});

import { add, closingLine, exitCodeOf, tallyOfChaos, tallyOfJest, tallyOfSuite } from './results.js';

describe('results', () => {
  it('counts a test file that broke as a failure', () => {
    const report = { numPassedTests: 3, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1, numRuntimeErrorTestSuites: 1 };
    expect(tallyOfJest(JSON.stringify(report))).toEqual({ passed: 3, failed: 2, skipped: 2 });
  });

  it('refuses a report that does not say what is needed', () => {
    expect(() => tallyOfJest('{"numPassedTests": 3}')).toThrow();
  });

  it.each([
    [{ passed: 3, failed: 0, skipped: 0 }, '3 passed, 0 failed', 0, 0],
    [{ passed: 3, failed: 1, skipped: 0 }, '3 passed, 1 failed', 1, 1],
    [{ passed: 3, failed: 0, skipped: 2 }, '3 passed, 0 failed, 2 skipped', 0, 1],
    [{ passed: 0, failed: 0, skipped: 0 }, '0 passed, 0 failed', 1, 1],
  ])('%j closes with "%s", exit %i, %i in CI', (tally, line, exitCode, exitCodeInCi) => {
    expect(closingLine(tally)).toBe(line);
    expect(exitCodeOf(tally, false)).toBe(exitCode);
    expect(exitCodeOf(tally, true)).toBe(exitCodeInCi);
  });

  it('adds up', () => {
    expect(add({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 })).toEqual({
      passed: 11,
      failed: 22,
      skipped: 33,
    });
  });

  it('counts every test of a conformance suite but those that could not be judged', () => {
    const results = [{ passed: true }, { passed: false }, { passed: false, apart: 'no such host' }];
    expect(tallyOfSuite(JSON.stringify({ results }))).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(() => tallyOfSuite('{"results":[]}')).toThrow();
  });

  it('counts every oracle of a chaos test', () => {
    const verdicts = [
      { name: 'a', problems: [] },
      { name: 'b', problems: ['something was left'] },
    ];
    expect(tallyOfChaos(JSON.stringify({ verdicts }))).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(() => tallyOfChaos('{"verdicts":[]}')).toThrow();
  });
});

import { anyFailed, apartLines, summary, tagTable } from './report.js';
import type { TestResult } from './run-test.js';

const result = (id: string, passed: boolean, more: Partial<TestResult> = {}): TestResult => ({
  id,
  tags: ['required'],
  passed,
  unsupported: false,
  ms: 1,
  ...more,
});

describe('the report of a suite', () => {
  const apart = result('net', false, { tags: ['networkaccess'], apart: 'no such host' });

  it('counts a test that could not be judged neither as passed nor as failed, and names it', () => {
    const results = [result('a', true), result('b', true), apart];
    expect(summary(results)).toBe('2 of 2 passed, 1 apart');
    expect(apartLines(results)).toEqual(['net: no such host']);
    expect(anyFailed(results)).toBe(false);
    expect(tagTable(results)).toMatch(/networkaccess\s+0\s+0/);
  });

  it('says what failed for want of a feature', () => {
    const results = [result('a', true), result('b', false, { unsupported: true })];
    expect(summary(results)).toBe('1 of 2 passed (1 unsupported)');
    expect(anyFailed(results)).toBe(true);
  });
});

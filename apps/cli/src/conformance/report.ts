/** What a suite came to: a table by tag for people, and the same as JSON. */
import { table } from '../table.js';
import type { TestResult } from './run-test.js';

export function tagTable(results: TestResult[]): string {
  const tags = [...new Set(results.flatMap((result) => result.tags))].sort();
  const rows = tags.map((tag) => {
    const tagged = results.filter((result) => result.tags.includes(tag));
    return [tag, String(tagged.filter(({ passed }) => passed).length), String(tagged.length)];
  });
  return table(['TAG', 'PASSED', 'OF'], rows);
}

export function summary(results: TestResult[]): string {
  const passed = results.filter((result) => result.passed).length;
  const unsupported = results.filter((result) => !result.passed && result.unsupported).length;
  return `${passed} of ${results.length} passed${unsupported > 0 ? ` (${unsupported} unsupported)` : ''}`;
}

/** Tests that could not be judged because an image cannot be had. */
export function missingImages(results: TestResult[]): string[] {
  return results
    .filter(({ passed, failureCode }) => !passed && ['IMAGE_PULL', 'IMAGE_MISSING'].includes(failureCode ?? ''))
    .map(({ id, reason }) => `${id}: ${reason?.split('\n')[0] ?? ''}`);
}

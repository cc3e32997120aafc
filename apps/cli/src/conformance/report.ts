/** What a suite came to: a table by tag for people, and the same as JSON. Tests that could not be judged here are told apart. */
import { table } from '../table.js';
import type { TestResult } from './run-test.js';

const isPassed = (result: TestResult): boolean => result.passed;
const isJudged = (result: TestResult): boolean => result.apart === undefined;

export function tagTable(results: TestResult[]): string {
  const tags = [...new Set(results.flatMap((result) => result.tags))].sort();
  const rows = tags.map((tag) => {
    const tagged = results.filter((result) => isJudged(result) && result.tags.includes(tag));
    return [tag, String(tagged.filter(isPassed).length), String(tagged.length)];
  });
  return table(['TAG', 'PASSED', 'OF'], rows);
}

export function summary(results: TestResult[]): string {
  const judged = results.filter(isJudged);
  const unsupported = judged.filter((result) => !result.passed && result.unsupported).length;
  const apart = results.length - judged.length;
  const notes = [unsupported > 0 ? ` (${unsupported} unsupported)` : '', apart > 0 ? `, ${apart} apart` : ''];
  return `${judged.filter(isPassed).length} of ${judged.length} passed${notes.join('')}`;
}

/** One line for each test that could not be judged on this machine. */
export function apartLines(results: TestResult[]): string[] {
  return results.flatMap(({ id, apart }) => (apart === undefined ? [] : [`${id}: ${apart}`]));
}

export function anyFailed(results: TestResult[]): boolean {
  return results.some((result) => isJudged(result) && !result.passed);
}

/** Tests that failed because an image cannot be had. */
export function missingImages(results: TestResult[]): string[] {
  return results
    .filter(({ passed, failureCode }) => !passed && ['IMAGE_PULL', 'IMAGE_MISSING'].includes(failureCode ?? ''))
    .map(({ id, reason }) => `${id}: ${reason?.split('\n')[0] ?? ''}`);
}

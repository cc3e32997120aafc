/** `weft conformance`: a suite through one stack, several tests at once. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RunsClient } from '../client/runs-client.js';
import { missingImages, summary, tagTable } from '../conformance/report.js';
import { type TestResult, runTest } from '../conformance/run-test.js';
import { type ConformanceTest, readSuite, select } from '../conformance/suite.js';
import { CommandError } from '../errors.js';
import { withRuns } from './with-runs.js';

export interface ConformanceOptions {
  tags: string[];
  exclude: string[];
  test: string[];
  jobs: number;
  json?: string;
  timeout: number;
  verbose?: boolean;
}

export async function conformanceCommand(folder: string, options: ConformanceOptions): Promise<void> {
  const suite = resolve(folder);
  const tests = select(readSuite(suite), { tags: options.tags, exclude: options.exclude, ids: options.test });
  if (tests.length === 0) throw new CommandError('no test is selected');
  const started = Date.now();
  const results = await withRuns({}, (runs) => runAll(runs, suite, tests, options));
  const images = missingImages(results);
  if (images.length > 0) process.stdout.write(`images that cannot be had:\n${images.map((line) => `  ${line}\n`).join('')}`);
  process.stdout.write(`\n${tagTable(results)}\n${summary(results)} in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ suite, results }, null, 2)}\n`);
  if (results.some(({ passed }) => !passed)) process.exitCode = 1;
}

/** Results in the order of the suite, whatever order the tests end in. */
async function runAll(runs: RunsClient, suite: string, tests: ConformanceTest[], options: ConformanceOptions): Promise<TestResult[]> {
  const results: TestResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < tests.length) {
      const index = next;
      next += 1;
      const test = tests[index];
      if (test === undefined) return;
      const result = await runTest(runs, suite, test, options.timeout);
      results[index] = result;
      if (!result.passed) process.stdout.write(`FAILED ${result.id}: ${indent(result.reason ?? '')}\n`);
      else if (options.verbose) process.stdout.write(`passed ${result.id} (${result.ms} ms)\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(options.jobs, tests.length)) }, worker));
  return results;
}

function indent(text: string): string {
  return text.split('\n').join('\n    ');
}

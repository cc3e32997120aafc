/** `weft conformance`: a suite through one stack, several tests at once. */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { RunsClient } from '../client/runs-client.js';
import { apartFrom, type Hosts } from '../conformance/network.js';
import { anyFailed, apartLines, missingImages, summary, tagTable } from '../conformance/report.js';
import { type FailureCodes, type TestResult, runTest } from '../conformance/run-test.js';
import { type StandIn, UnservedError, extraHosts, openStandIn } from '../conformance/stand-in.js';
import { type ConformanceTest, readSuite, select } from '../conformance/suite.js';
import { CommandError } from '../errors.js';
import { imagesDirectory, makeImages } from '../selftest/images.js';
import { withPrivateStack } from '../stack/private-stack.js';
import { withRuns } from './with-runs.js';

export interface ConformanceOptions {
  tags: string[];
  exclude: string[];
  test: string[];
  jobs: number;
  json?: string;
  timeout: number;
  verbose?: boolean;
  standIn?: string[];
  failureCodes?: string;
  makeImages?: boolean;
}

export async function conformanceCommand(folder: string, options: ConformanceOptions): Promise<void> {
  const { folder: suite, tests: all } = readSuite(folder);
  const tests = select(all, { tags: options.tags, exclude: options.exclude, ids: options.test });
  if (tests.length === 0) throw new CommandError('no test is selected');
  if (options.makeImages) {
    const problem = makeImages(imagesDirectory(), (line) => void process.stderr.write(`weft: ${line}\n`));
    if (problem !== undefined) throw new CommandError(problem);
  }
  const started = Date.now();
  const results = await withStandIns(options.standIn ?? [], (hosts) => judge(suite, tests, hosts, options));
  conclude(results, Date.now() - started);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ suite, results }, null, 2)}\n`);
  if (anyFailed(results)) process.exitCode = 1;
}

/** A stack that runs already does not know the names of stand-ins: such a suite gets a stack of its own. */
async function withStandIns<T>(wanted: string[], work: (hosts: Hosts) => Promise<T>): Promise<T> {
  if (wanted.length > 0 && process.env['WEFT_URL']) throw new CommandError('stand-ins are for the local stack: unset WEFT_URL');
  const standIns: StandIn[] = [];
  const unserved = new Map<string, string>();
  try {
    for (const host of wanted) {
      const opened = await openStandIn(host).catch((error: unknown) => {
        if (!(error instanceof UnservedError)) throw error;
        unserved.set(host, error.message);
      });
      if (opened !== undefined) standIns.push(opened);
    }
    const known = standIns.map(({ host }) => host);
    if (known.length === 0) return await work({ known, unserved });
    return await withPrivateStack({ WEFT_DOCKER_EXTRA_HOSTS: extraHosts(standIns) }, () => work({ known, unserved }));
  } finally {
    for (const standIn of standIns) await standIn.close();
  }
}

async function judge(suite: string, tests: ConformanceTest[], hosts: Hosts, options: ConformanceOptions): Promise<TestResult[]> {
  const apart = await apartFrom(suite, tests, hosts);
  const results = await withRuns({ settings: 'wanted' }, (runs) =>
    runAll(
      runs,
      suite,
      tests.filter(({ id }) => !apart.has(id)),
      options,
    ),
  );
  const byId = new Map(results.map((result) => [result.id, result]));
  return tests.flatMap(({ id, tags }) => byId.get(id) ?? { id, tags, passed: false, unsupported: false, apart: apart.get(id), ms: 0 });
}

function conclude(results: TestResult[], ms: number): void {
  const block = (title: string, lines: string[]): string =>
    lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
  process.stdout.write(block('images that cannot be had:', missingImages(results)));
  process.stdout.write(block('reported apart:', apartLines(results)));
  process.stdout.write(`\n${tagTable(results)}\n${summary(results)} in ${(ms / 1000).toFixed(1)} s\n`);
}

/** Results in the order of the suite, whatever order the tests end in. */
async function runAll(runs: RunsClient, suite: string, tests: ConformanceTest[], options: ConformanceOptions): Promise<TestResult[]> {
  const results: TestResult[] = [];
  const failureCodes = options.failureCodes === undefined ? undefined : readFailureCodes(options.failureCodes);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < tests.length) {
      const index = next;
      next += 1;
      const test = tests[index];
      if (test === undefined) return;
      const result = await runTest(runs, test, { folder: suite, timeoutS: options.timeout, failureCodes });
      results[index] = result;
      if (!result.passed) process.stdout.write(`FAILED ${result.id}: ${indent(result.reason ?? '')}\n`);
      else if (options.verbose) process.stdout.write(`passed ${result.id} (${result.ms} ms)\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(options.jobs, tests.length)) }, worker));
  return results;
}

/** @throws CommandError where the file is not an object of texts by test id */
function readFailureCodes(path: string): FailureCodes {
  const parsed = z.record(z.string(), z.string()).safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new CommandError(`${path}: expected an object of failure codes by test id`);
  return parsed.data;
}

function indent(text: string): string {
  return text.split('\n').join('\n    ');
}

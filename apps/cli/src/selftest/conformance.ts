/**
 * The conformance part of the checks: the project's own suite, and the public ones where they lie beside the checkout.
 * Invariant: every test of every suite that is there counts once; only one that this machine cannot judge is left out, and said.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { hostsOf, resolves } from '../conformance/network.js';
import { readSuite } from '../conformance/suite.js';
import { NOTHING, type Tally, add, failure, tallyOfSuite } from './results.js';

export interface ConformanceCheck {
  /** The checkout. */
  root: string;
  /** For homes and reports. */
  scratch: string;
  say(line: string): void;
  /** Runs the built command line; what it prints goes to stderr. */
  weft(args: string[], env: Record<string, string>): Promise<boolean>;
}

/** Why each test that should fail must fail. */
const FAILURE_CODES = 'tests/conformance/failure-codes.json';

/** Folders with an index, in the order to run them. */
export function suitesOf(root: string): string[] {
  const publicSuites = ['v1.2', 'v1.3'].map((version) => resolve(root, '../shared/conformance', version));
  return [join(root, 'tests/conformance'), ...publicSuites].filter((folder) => existsSync(join(folder, 'conformance_tests.json')));
}

export async function checkConformance(check: ConformanceCheck): Promise<Tally> {
  let total = NOTHING;
  for (const suite of suitesOf(check.root)) {
    const tally = await runSuite(suite, check);
    check.say(`conformance ${basename(suite)}: ${tally.passed} of ${tally.passed + tally.failed}`);
    total = add(total, tally);
  }
  return total;
}

async function runSuite(suite: string, { root, scratch, weft }: ConformanceCheck): Promise<Tally> {
  const name = basename(suite);
  const report = join(scratch, `conformance-${name}.json`);
  // A home of its own: the checks leave the user's runs alone.
  const env = { WEFT_HOME: join(scratch, `home-${name}`), WEFT_LINGER_S: '0' };
  const standIns = (await hostsToServe(suite)).flatMap((host) => ['--stand-in', host]);
  await weft(['conformance', suite, '--json', report, '--failure-codes', join(root, FAILURE_CODES), ...standIns], env);
  await weft(['down'], env);
  if (existsSync(report)) return tallyOfSuite(readFileSync(report, 'utf8'), name);
  return failure(`${name}: no report was written`);
}

/** Only root can serve on the port of the web. */
async function hostsToServe(suite: string): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  const hosts = new Set(readSuite(suite).tests.flatMap((test) => hostsOf(suite, test)));
  const unknown: string[] = [];
  for (const host of hosts) if (!(await resolves(host))) unknown.push(host);
  return unknown;
}

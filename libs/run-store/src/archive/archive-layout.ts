/**
 * Names in the archive. They follow from the run alone, so that storing it twice stores it once and a lookup by id is one read.
 *
 *   runs/<first 8 characters of the id>/<id>.jsonl.gz      ids are time-sorted: a folder holds the runs of some 17 minutes
 *   index/<scope>/<yyyy>/<mmdd>/<hhmm>/<time>_<id>.<s>     empty; one for all runs, one for the project; <s> is the first letter of the state
 *   plans/<first 2 digits>/<hash>.json.gz
 *
 * Invariant: within a scope, sorting by path sorts by position (page-token.ts), and no folder grows with history but by one name a year.
 */
import { createHash } from 'node:crypto';
import { InvalidRequestError } from '../errors.js';
import { positionOf, runIdAt } from '../page-token.js';
import type { RunHeader, RunState } from '../ports.js';
import type { IndexedRun } from '../retention.ports.js';

const LETTERS: Partial<Record<RunState, string>> = { succeeded: 's', failed: 'f', cancelled: 'c' };
const STATES = new Map(Object.entries(LETTERS).map(([state, letter]) => [letter, state as RunState]));
const TIME_DIGITS = 15;

export function runName(runId: string): string {
  if (!/^[A-Za-z0-9._-]+$/.test(runId) || /^\.+$/.test(runId)) throw new InvalidRequestError(`'${runId}' cannot be the id of a run`);
  return `runs/${runId.slice(0, 8)}/${runId}.jsonl.gz`;
}

export function planName(hash: string): string {
  if (!/^[A-Za-z0-9]+$/.test(hash)) throw new InvalidRequestError(`'${hash}' is not the hash of a plan`);
  return `plans/${hash.slice(0, 2)}/${hash}.json.gz`;
}

/** Folder of all runs (undefined) or a project's. A project's name may hold anything, so its hash stands for it. */
export function indexFolder(projectId: string | undefined): string {
  if (projectId === undefined) return 'index/all/';
  return `index/project/${createHash('sha256').update(projectId).digest('hex').slice(0, 32)}/`;
}

/** Year, day and minute (UTC) of a position, as folder names. */
export function minuteOf(position: string): [year: string, day: string, minute: string] {
  const text = new Date(Number(position.slice(0, TIME_DIGITS))).toISOString();
  return [text.slice(0, 4), text.slice(5, 7) + text.slice(8, 10), text.slice(11, 13) + text.slice(14, 16)];
}

export function indexNames(header: RunHeader): string[] {
  const letter = LETTERS[header.state];
  if (letter === undefined) throw new InvalidRequestError(`run ${header.runId} is ${header.state}: only finished runs are archived`);
  const position = positionOf(header);
  const name = `${minuteOf(position).join('/')}/${position.slice(0, TIME_DIGITS)}_${header.runId}.${letter}`;
  return [undefined, header.projectId].map((scope) => indexFolder(scope) + name);
}

/** Undefined: not a name of ours. */
export function indexedRun(name: string): IndexedRun | undefined {
  const match = /^(\d{15})_(.+)\.([a-z])$/.exec(name);
  const state = STATES.get(match?.[3] ?? '');
  if (!match || !state) return undefined;
  const position = `${match[1]}:${match[2]}`;
  return { position, runId: runIdAt(position), state };
}

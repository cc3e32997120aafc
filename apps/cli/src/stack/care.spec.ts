/** Looks at programs that do not answer. Time is looks, so that none passes here. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf } from '../home.js';
import { Care, REPLACED_AFTER, TOLD_AFTER } from './care.js';
import type { Program } from './child.js';
import { SocketNames } from './sockets.js';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'weft-care-'))));
afterEach(() => rmSync(root, { recursive: true }));

function watched(state: 'stopped' | 'traced' | 'waits for a disk' | 'running') {
  const said: string[] = [];
  const did: string[] = [];
  let missed = 0;
  const program = {
    spec: { name: 'scheduler' },
    pid: 7,
    state: 'ready',
    ping: () => missed++,
    silent: () => did.push(`silent at ${missed - 1}`),
    replace: () => did.push(`replaced at ${missed - 1}`),
  };
  const home = homeOf({ WEFT_HOME: root });
  const care = new Care({
    home,
    redisSocket: undefined,
    programs: () => [program as unknown as Program],
    sockets: { restore: () => ({ restored: [], lost: [] }) } as unknown as SocketNames,
    tell: (text) => said.push(text),
    changed: () => undefined,
    listenAgain: () => undefined,
    stateOf: () => state,
  });
  return { said, did, look: (times: number) => Array.from({ length: times }, () => care.look()) };
}

it.each(['stopped', 'running'] as const)('a program that does not answer (%s) is told about, and replaced after a minute', (state) => {
  const { said, did, look } = watched(state);
  look(REPLACED_AFTER);
  expect([said, did]).toEqual([[`scheduler does not answer (pid 7, ${state})`], [`silent at ${TOLD_AFTER}`]]);
  look(1);
  expect([said.at(-1), did.at(-1)]).toEqual([
    `scheduler (pid 7, ${state}) has not answered for 60 s: it is replaced`,
    `replaced at ${REPLACED_AFTER}`,
  ]);
});

it.each(['traced', 'waits for a disk'] as const)('one that comes back by itself (%s) is told about and left alone', (state) => {
  const { said, did, look } = watched(state);
  look(3 * REPLACED_AFTER);
  expect([said, did]).toEqual([[`scheduler does not answer (pid 7, ${state})`], [`silent at ${TOLD_AFTER}`]]);
});

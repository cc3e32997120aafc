import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Home, homeOf } from '../home.js';
import { privateState, rememberRun, stateOfRun } from './private-states.js';

let home: Home;
beforeEach(() => (home = homeOf({ WEFT_HOME: realpathSync(mkdtempSync(join(tmpdir(), 'weft-home-'))) })));
afterEach(() => rmSync(home.root, { recursive: true }));

it('is a home of its own below the home, with sandboxes of its own also where those are elsewhere', () => {
  expect(privateState(home, 2, {})).toMatchObject({
    root: join(home.root, 'private/2'),
    sandboxes: join(home.root, 'private/2/sandboxes'),
  });
  expect(privateState(home, 2, { WEFT_SANDBOX_ROOT: '/scratch' }).sandboxes).toBe('/scratch/private/2');
});

it('is found again by a run that it has', () => {
  expect(stateOfRun(home, 'r-1', {})).toBeUndefined();
  rememberRun(home, privateState(home, 3, {}), 'r-1');
  expect(stateOfRun(home, 'r-1', {})?.root).toBe(join(home.root, 'private/3'));
});

it('remembers nothing of the home’s own runs, nor of ids that are none', () => {
  rememberRun(home, home, 'r-1');
  rememberRun(home, privateState(home, 1, {}), '../r-1');
  expect([stateOfRun(home, 'r-1', {}), stateOfRun(home, '../r-1', {}), stateOfRun(home, '..', {})]).toEqual([
    ...[undefined, undefined, undefined],
  ]);
});

it.each(['', '0', '-1', '1.5', '999999', '../..'])('takes no record that says "%s"', (text) => {
  rememberRun(home, privateState(home, 1, {}), 'r-1');
  writeFileSync(join(home.root, 'private/runs/r-1'), text);
  expect(stateOfRun(home, 'r-1', {})).toBeUndefined();
});

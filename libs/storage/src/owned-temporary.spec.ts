/** What was left by processes that are gone, and nothing else. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownedName, removeAbandoned } from './owned-temporary.js';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'weft-owned-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const left = (): string[] => readdirSync(directory).sort();

it('removes what owners that are gone have left, and leaves what lives, strangers and look-alikes', async () => {
  const own = ownedName('weft-archive-');
  const [, place = ''] = /^weft-archive-(.*-)\d+-\d+-$/.exec(own) ?? [];
  const gone = spawn('true');
  await new Promise((resolve) => gone.once('exit', resolve));
  const names = {
    mine: `${own}abc`,
    reused: own.replace(/\d+-$/, '1-abc'),
    dead: `weft-archive-${place}${gone.pid}-12345-x`,
    elsewhere: `weft-archive-00000000-1-1-1-x`,
    plain: 'weft-archive-abc123',
    other: `weft-notes-${place}${gone.pid}-12345-x`,
    user: 'results',
  };
  for (const name of Object.values(names)) mkdirSync(join(directory, name));
  writeFileSync(join(directory, names.dead, 'x'), '');
  const precious = join(directory, 'precious');
  mkdirSync(precious);
  const link = `weft-archive-${place}${gone.pid}-12345-link`;
  symlinkSync(precious, join(directory, link));
  expect((await removeAbandoned(directory)).sort()).toEqual([names.dead, names.reused].sort());
  expect(left()).toEqual([names.mine, names.elsewhere, names.plain, names.other, names.user, 'precious', link].sort());
  // What another boot or machine has left goes when it is old.
  const before = new Date(Date.now() - 8 * 86_400_000);
  for (const name of [names.elsewhere, names.mine, names.user]) utimesSync(join(directory, name), before, before);
  expect(await removeAbandoned(directory)).toEqual([names.elsewhere]);
  expect(existsSync(join(directory, names.mine))).toBe(true);
  expect(await removeAbandoned(join(directory, 'nowhere'))).toEqual([]);
});

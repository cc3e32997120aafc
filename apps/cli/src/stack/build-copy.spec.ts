import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf } from '../home.js';
import { copyPrograms, removeUnusedPrograms } from './build-copy.js';

describe('copies of the programs', () => {
  let folder: string;
  const clone = (): string => join(folder, 'clone/dist');
  const home = () => homeOf({ WEFT_HOME: join(folder, 'home') });
  const build = (id: string, text: string): void => {
    mkdirSync(clone(), { recursive: true });
    for (const name of ['cli.mjs', 'gateway.mjs']) {
      // As a build does: never into a file that is there.
      writeFileSync(join(clone(), `${name}.new`), text);
      renameSync(join(clone(), `${name}.new`), join(clone(), name));
    }
    writeFileSync(join(clone(), 'programs.json'), JSON.stringify({ id, core: ['dist/cli.mjs'], extra: ['dist/gateway.mjs'] }));
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weft-copy-'));
    build('one', 'first');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('stay what they were when the clone is built anew, and when it is gone', () => {
    const dist = copyPrograms(home(), 'core', clone());
    build('two', 'second');
    expect(readFileSync(join(dist, 'cli.mjs'), 'utf8')).toBe('first');
    expect(readFileSync(join(copyPrograms(home(), 'core', clone()), 'cli.mjs'), 'utf8')).toBe('second');
    rmSync(join(folder, 'clone'), { recursive: true });
    expect(readFileSync(join(dist, 'cli.mjs'), 'utf8')).toBe('first');
    expect(copyPrograms(home(), 'core', dist)).toBe(dist);
  });

  it('are made again where they are not whole, and part by part', () => {
    const dist = copyPrograms(home(), 'core', clone());
    expect(existsSync(join(dist, 'gateway.mjs'))).toBe(false);
    expect(existsSync(join(copyPrograms(home(), 'extra', clone()), 'gateway.mjs'))).toBe(true);
    rmSync(join(dist, 'cli.mjs'));
    rmSync(join(dist, '../../core'));
    expect(existsSync(join(copyPrograms(home(), 'core', clone()), 'cli.mjs'))).toBe(true);
  });

  it('are removed when no stack has used them for weeks, but for the one in use', () => {
    const first = copyPrograms(home(), 'core', clone());
    build('two', 'second');
    const second = copyPrograms(home(), 'core', clone());
    for (const dist of [first, second]) utimesSync(join(dist, '../../core'), new Date(0), new Date(0));
    removeUnusedPrograms(second);
    expect([existsSync(first), existsSync(second)]).toEqual([false, true]);
  });

  it('cannot be made of what is no build', () => {
    expect(() => copyPrograms(home(), 'core', join(folder, 'nowhere'))).toThrow(/is not a whole build, or was moved away/);
  });
});

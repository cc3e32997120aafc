import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgramContents } from './program-contents.js';

describe('contents of programs', () => {
  let directory: string;
  let programs: ProgramContents;
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-programs-'));
    programs = new ProgramContents(directory);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('are those of the file that PATH leads to, or of the file itself', async () => {
    const path = write('tool', 'one');
    const id = await programs.idOf('tool');
    expect(id).toMatch(/^sha256:/);
    expect(await programs.idOf(path)).toBe(id);
    write('other', 'two');
    expect(await programs.idOf('other')).not.toBe(id);
  });

  it('change with the bytes, not with the time or the permissions', async () => {
    const path = write('tool', 'one');
    const id = await programs.idOf('tool');
    utimesSync(path, 1, 1);
    chmodSync(path, 0o700);
    expect(await programs.idOf('tool')).toBe(id);
    write('tool', 'One');
    expect(await programs.idOf('tool')).not.toBe(id);
    write('tool', 'one');
    expect(await programs.idOf('tool')).toBe(id);
  });

  it.each([0, 60_000])('change with the bytes, whatever times are set (%i ms later)', async (laterMs) => {
    const later = new ProgramContents(directory, () => Date.now() + laterMs);
    const path = write('tool', 'one');
    utimesSync(path, 1, 1);
    const id = await later.idOf('tool');
    expect(await later.idOf('tool')).toBe(id);
    write('tool', 'two');
    utimesSync(path, 1, 1);
    expect(await later.idOf('tool')).not.toBe(id);
  });

  it('are unknown of what is no file', async () => {
    mkdirSync(join(directory, 'd'));
    for (const reference of ['nothing', join(directory, 'nothing'), directory, join(directory, 'd'), './d', '/dev/null', ''])
      expect(await programs.idOf(reference)).toBeUndefined();
  });
});

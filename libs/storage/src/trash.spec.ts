import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Trash } from './trash.js';

describe('Trash', () => {
  let root: string;
  let problems: unknown[];
  const open = (): Trash => new Trash(join(root, '.trash'), (text, error) => problems.push([text, error]));
  const tree = (name: string): string => {
    mkdirSync(join(root, name, 'work'), { recursive: true });
    writeFileSync(join(root, name, 'work', 'f'), 'x');
    return join(root, name);
  };
  const left = (): string[] => readdirSync(join(root, '.trash'));
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'weft-trash-'));
    problems = [];
  });
  afterEach(() => {
    expect(problems).toEqual([]);
    rmSync(root, { recursive: true });
  });

  it('frees the path at once and leaves nothing when it is closed', async () => {
    const trash = open();
    for (let round = 0; round < 3; round++) {
      const path = tree('task');
      trash.discard(path);
      expect(existsSync(path)).toBe(false);
    }
    trash.discard(join(root, 'not there'));
    expect(left()).toHaveLength(3);
    await trash.close();
    expect(left()).toEqual([]);
  });

  it('removes what is discarded while it removes', async () => {
    const trash = open();
    trash.discard(tree('a'));
    const closing = trash.close();
    trash.discard(tree('b'));
    await closing;
    expect(left()).toEqual([]);
  });

  it('removes directories without write permission', async () => {
    const path = tree('stubborn');
    chmodSync(join(path, 'work'), 0o500);
    const trash = open();
    trash.discard(path);
    await trash.close();
    expect(left()).toEqual([]);
  });

  it('removes what an earlier life left', async () => {
    const earlier = open();
    earlier.discard(tree('old'));
    const later = open();
    await later.close();
    expect(left()).toEqual([]);
    await earlier.close();
  });

  it('does not let a slow removal hold up others', async () => {
    let goOn: () => void = () => undefined;
    const slow = new Promise<void>((done) => (goOn = done));
    const begun: string[][] = [];
    let second: () => void = () => undefined;
    const secondBegun = new Promise<void>((done) => (second = done));
    const trash = new Trash(
      join(root, '.trash'),
      (text, error) => problems.push([text, error]),
      async (directory, [, , , ...names]) => {
        begun.push(names);
        if (begun.length === 1) await slow;
        else second();
        for (const name of names) rmSync(join(directory, name), { recursive: true, force: true });
      },
    );
    trash.discard(tree('slow'));
    const closing = trash.close();
    trash.discard(tree('quick'));
    // Nobody else asks for it: it comes by itself, while the first is still being removed.
    await secondBegun;
    expect(begun.map((names) => names.length)).toEqual([1, 1]);
    goOn();
    await closing;
    expect(left()).toEqual([]);
  });

  it('tells what gathers behind removals that do not end, and removes it when they do', async () => {
    let goOn: () => void = () => undefined;
    const slow = new Promise<void>((done) => (goOn = done));
    const begun: string[][] = [];
    const trash = new Trash(
      join(root, '.trash'),
      (text, error) => problems.push([text, (error as Error).message]),
      async (directory, [, , , ...names]) => {
        begun.push(names);
        await slow;
        for (const name of names) rmSync(join(directory, name), { recursive: true, force: true });
      },
    );
    // Each five hundred begin at once, without waiting for anything.
    for (let n = 0; n < 4 * 500; n += 1) trash.discard(tree(`slow-${n}`));
    expect([begun.length, problems]).toEqual([4, []]);
    for (let n = 0; n < 2 * 500; n += 1) trash.discard(tree(`more-${n}`));
    expect(problems).toEqual([
      [expect.stringMatching(/^500 directories wait in .*trash to be removed$/), '4 removals are under way and do not end'],
    ]);
    problems.length = 0;
    goOn();
    await trash.close();
    expect([left(), problems]).toEqual([[], []]);
  });
});

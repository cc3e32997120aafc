import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileOps } from './folder.js';
import { lookAtOutdir, makeOutdir } from './outdir.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'weft-outdir-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const failing =
  (code: string): (() => Promise<never>) =>
  () =>
    Promise.reject(Object.assign(new Error(code), { code }));

describe('lookAtOutdir', () => {
  it.each<[string, () => string, string | RegExp]>([
    ['a file', () => (writeFileSync(join(root, 'f'), ''), join(root, 'f')), 'that is not a folder'],
    ['below a file', () => (writeFileSync(join(root, 'f'), ''), join(root, 'f/a/b')), /\/f is not a folder$/],
    ['a device', () => '/dev/null', 'that is not a folder'],
    ['a link that leads nowhere', () => (symlinkSync('gone', join(root, 'l')), join(root, 'l')), 'it is a link that leads nowhere'],
    ['below one', () => (symlinkSync('gone', join(root, 'l')), join(root, 'l/x')), /\/l is a link that leads nowhere$/],
    ['a loop of links', () => (symlinkSync('l', join(root, 'l')), join(root, 'l')), 'is a loop of links'],
    ['a name that is too long', () => join(root, 'n'.repeat(300)), 'too long for the file system'],
    ['nothing', () => '', '--outdir is empty'],
    ['a URI', () => 's3://bucket/x', 'that is a URI'],
    ['a file URI', () => 'file:///tmp/x', 'that is a URI'],
    ['a home that the shell has left', () => '~/x', 'the shell has not replaced "~"'],
    ['a name with an escape', () => (writeFileSync(join(root, '\u001b[2J'), ''), join(root, '\u001b[2J')), /␛\[2J: that is not a folder$/],
  ])('%s is refused in one sentence', async (_, given, why) => {
    const refused = await lookAtOutdir(given()).then(
      () => 'taken',
      (error: Error) => error,
    );
    expect(refused).toMatchObject({ name: 'CommandError', exitCode: 1 });
    const { message } = refused as Error;
    expect(message).toMatch(why);
    expect(message).toMatch(/^--outdir .*$/);
  });

  it.each([
    ['EACCES', 'you may not write in'],
    ['EROFS', 'read-only'],
    ['ENOSPC', 'is full'],
    ['EDQUOT', 'quota'],
    ['EIO', 'EIO'],
  ])('where making a file gives %s it says %s', async (code, why) => {
    const ops = { ...files, open: failing(code) } as FileOps;
    await expect(lookAtOutdir(root, ops)).rejects.toThrow(why);
    await expect(lookAtOutdir(join(root, 'new/deep'), ops)).rejects.toThrow(`it does not exist and cannot be made: `);
  });

  it.each(['new', 'new/deep'])(
    '%s, which another run makes in the moment in which it is found missing, is a folder like any other',
    async (name) => {
      const stat = async (path: string): Promise<unknown> => {
        const found = files.stat(path);
        await found.catch(() => path.endsWith(name) && mkdirSync(path, { recursive: true }));
        return found;
      };
      const ops = { ...files, stat } as unknown as FileOps;
      expect((await lookAtOutdir(join(root, name), ops)).path).toBe(join(root, name));
    },
  );

  it('a disk that takes names but no bytes is full', async () => {
    const open = async (...args: Parameters<FileOps['open']>): Promise<unknown> => {
      const file = await files.open(...args);
      return Object.assign(file, { write: failing('ENOSPC') });
    };
    await expect(lookAtOutdir(root, { ...files, open } as unknown as FileOps)).rejects.toThrow('is full');
    expect(readdirSync(root)).toEqual([]);
  });

  it('a file system that does not answer is not waited for', async () => {
    const ops = { ...files, stat: () => new Promise(() => undefined) } as unknown as FileOps;
    await expect(lookAtOutdir(root, ops, 1)).rejects.toThrow('has not answered for');
  });

  it('leaves nothing behind, makes nothing, and marks the time', async () => {
    writeFileSync(join(root, 'before'), '');
    const { path, mark } = await lookAtOutdir(join(root, 'new/deep'));
    expect([path, readdirSync(root)]).toEqual([join(root, 'new/deep'), ['before']]);
    writeFileSync(join(root, 'after'), '');
    const time = (name: string): bigint => statSync(join(root, name), { bigint: true }).ctimeNs;
    expect([time('before') <= mark, time('after') >= mark]).toEqual([true, true]);
  });

  it('keeps the path as the user wrote it, but for what only this process can see', async () => {
    mkdirSync(join(root, 'real'));
    symlinkSync('real', join(root, 'link'));
    expect((await lookAtOutdir(join(root, 'link/x'))).path).toBe(join(root, 'link/x'));
    if (process.platform === 'linux') expect((await lookAtOutdir('/proc/self/cwd')).path).toBe(process.cwd());
  });

  it('a folder may be written in without being listed', async () => {
    chmodSync(root, 0o300);
    expect((await lookAtOutdir(root)).path).toBe(root);
    chmodSync(root, 0o700);
  });
});

describe('makeOutdir', () => {
  it('makes what is missing and says what it made; what another made in between is taken', async () => {
    const folder = await lookAtOutdir(join(root, 'a/b/c'));
    const made: string[] = [];
    const mkdir = async (path: string): Promise<void> => {
      if (path.endsWith('/a')) mkdirSync(path);
      await files.mkdir(path);
    };
    await makeOutdir(folder, { ...files, mkdir } as unknown as FileOps, made);
    expect(made).toEqual([join(root, 'a/b'), join(root, 'a/b/c')]);
  });

  it('ends where the kernel takes no folders', async () => {
    const folder = { path: '/proc/nowhere/x', mark: 0n };
    await expect(makeOutdir(folder, files, [])).rejects.toMatchObject({ code: expect.stringMatching(/^E/) });
  });
});

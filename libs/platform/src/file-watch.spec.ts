import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { followFile } from './index.js';

const scratch = mkdtempSync(join(tmpdir(), 'weft-follow-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Follows a file of a name; `says(text)` resolves when the text was taken, `complains` when one was not. */
function following(path: string): { says(text: string): Promise<void>; complains(): Promise<unknown>; close(): void } {
  let last = readFileSync(path, 'utf8');
  let taken: () => void = () => undefined;
  let refused: (error: unknown) => void = () => undefined;
  const followed = followFile(
    path,
    () => {
      const now = readFileSync(path, 'utf8');
      if (now === 'bad') throw new Error('not that');
      if (now === last) return false;
      last = now;
      return true;
    },
    { info: () => taken(), error: (fields) => refused(fields) },
  );
  return {
    says: (text) => new Promise((resolve) => (taken = (): void => (last === text ? resolve() : undefined))),
    complains: () => new Promise((resolve) => (refused = resolve)),
    close: () => followed.close(),
  };
}

it('hears of a file that is written, and of one that is renamed over it', async () => {
  const path = join(scratch, 'plain');
  writeFileSync(path, 'one');
  const followed = following(path);
  const two = followed.says('two');
  writeFileSync(path, 'two');
  await two;
  const three = followed.says('three');
  writeFileSync(`${path}.new`, 'three');
  renameSync(`${path}.new`, path);
  await three;
  followed.close();
});

it('hears of a link in the way that is turned, as mounted configurations are replaced, also the second time', async () => {
  for (const name of ['a', 'b', 'c']) {
    mkdirSync(join(scratch, name));
    writeFileSync(join(scratch, name, 'file'), name);
  }
  const turnTo = (name: string): void => {
    symlinkSync(join(scratch, name), join(scratch, 'next'));
    renameSync(join(scratch, 'next'), join(scratch, 'current'));
  };
  turnTo('a');
  symlinkSync('current/file', join(scratch, 'file'));
  const followed = following(join(scratch, 'file'));
  for (const name of ['b', 'c']) {
    const said = followed.says(name);
    turnTo(name);
    await said;
  }
  followed.close();
});

it('tells what cannot be taken, and goes on', async () => {
  const path = join(scratch, 'mended');
  writeFileSync(path, 'one');
  const followed = following(path);
  const complaint = followed.complains();
  writeFileSync(path, 'bad');
  expect(await complaint).toMatchObject({ err: expect.objectContaining({ message: 'not that' }), file: path });
  const two = followed.says('two');
  writeFileSync(path, 'two');
  await two;
  followed.close();
});

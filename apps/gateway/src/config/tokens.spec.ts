import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiTokens } from './tokens.js';

const line = (token: string): string => `${createHash('sha256').update(token).digest('hex')} ${token}\n`;

it('takes the tokens of a file that changes, and keeps those before while it cannot be taken', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'weft-tokens-'));
  const file = join(scratch, 'tokens');
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  write(line('first'));
  const tokens = ApiTokens.fromFile(file);
  let [taken, refused] = [(): void => undefined, (): void => undefined];
  const followed = tokens.follow({ info: () => taken(), error: () => refused() });
  const known = (): (string | undefined)[] => ['first', 'second'].map((token) => tokens.nameOf(token));

  const second = new Promise<void>((resolve) => (taken = resolve));
  write(line('second'));
  await second;
  expect(known()).toEqual([undefined, 'second']);

  const bad = new Promise<void>((resolve) => (refused = resolve));
  write('no hash\n');
  await bad;
  expect(known()).toEqual([undefined, 'second']);

  const both = new Promise<void>((resolve) => (taken = resolve));
  write(line('first') + line('second'));
  await both;
  expect(known()).toEqual(['first', 'second']);
  followed.close();
  rmSync(scratch, { recursive: true });
});

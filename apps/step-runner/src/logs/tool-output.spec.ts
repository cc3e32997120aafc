import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ToolOutput } from './tool-output.js';

const SECRET = 'correct horse';

it('what a tool says is told without its secrets, also the end of stderr, and also where one comes in two pieces', async () => {
  const output = new ToolOutput([SECRET]);
  const told = { stdout: '', stderr: '' };
  for (const piece of ['the password is corr', 'ect horse!\nco'])
    for (const name of ['stdout', 'stderr'] as const) told[name] += output.push(name, Buffer.from(piece)).toString();
  await output.end((name, data) => void (told[name] += data.toString()));
  const text = 'the password is (secret)!\nco';
  expect([told, output.lines()]).toEqual([{ stdout: text, stderr: text }, text.split('\n')]);
});

describe('stderr that went to a file', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'weft-said-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  // 4096 bytes of it are told; the secret lies before, across and behind where they begin.
  it.each([0, 4080, 4083, 4084, 4090, 4095, 4096, 5000])('shows nothing of a secret with %d bytes behind it', (after) => {
    const path = join(folder, 'err.txt');
    writeFileSync(path, `${'x'.repeat(30)}${SECRET}${'y'.repeat(after)}`);
    const output = new ToolOutput([SECRET]);
    output.addFile(path);
    expect(output.lines().join('\n').replace('(secret)', '')).toMatch(/^x*y*$/);
  });
});

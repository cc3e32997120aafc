import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerOutput } from './output.js';

it.each([['hostStdout'], ['hostStderr']])('%s is not opened where a link has its name', async (stream) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-output-'));
  try {
    const [secret, link] = [join(directory, 'secret'), join(directory, 'link')];
    writeFileSync(secret, 'secret');
    symlinkSync(secret, link);
    await expect(ContainerOutput.open({ [stream]: link }, () => undefined)).rejects.toMatchObject({ code: 'ELOOP' });
    expect(readFileSync(secret, 'utf8')).toBe('secret');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

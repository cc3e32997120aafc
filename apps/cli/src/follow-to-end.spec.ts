import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@weft/contracts';
import { conclude } from './follow-to-end.js';
import { lookAtOutdir } from './outputs/outdir.js';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'weft-conclude-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('puts what a failed run has where --write-summary says, every digit of it', async () => {
  const summary = join(folder, 'summary.json');
  const place = { outdir: await lookAtOutdir(folder), inputs: {}, summary };
  const failure = run.Failure.fromPartial({ message: 'no' });
  const outputs = { n: 9223372036854775807n, missing: null };
  await expect(conclude({ status: 'failed', runId: 'r-1', failure, outputs }, place)).rejects.toMatchObject({
    message: expect.stringContaining('run r-1 failed: no\nthe output object is what succeeded, 1 of 2 outputs'),
  });
  expect(readFileSync(summary, 'utf8')).toBe('{\n    "n": 9223372036854775807,\n    "missing": null\n}\n');
});

import { spawnSync, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { build } from 'esbuild';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A bundle as the programs are, in one line, whose end is `last`. */
async function endOf(last: string, output: StdioOptions = 'pipe'): Promise<{ status: number | null; stderr: string }> {
  const directory = dirname(fileURLToPath(import.meta.url));
  const bundled = await build({
    stdin: { contents: `import { onFault } from './fault.js'; onFault('scheduler'); ${last}`, resolveDir: directory },
    ...{ bundle: true, write: false, minify: true, platform: 'node', format: 'cjs', absWorkingDir: join(directory, '../../..') },
  });
  const { status, stderr } = spawnSync(process.execPath, ['-e', bundled.outputFiles[0]?.text ?? ''], {
    encoding: 'utf8',
    stdio: output,
  });
  return { status, stderr };
}

it.each([
  ['an error that nobody catches', `setTimeout(() => { throw new TypeError('nothing to read') })`],
  ['a rejection that nobody handles', `Promise.reject(new TypeError('nothing to read'))`],
  ['one that is thrown at once', `throw new TypeError('nothing to read')`],
])('%s is one line of the log, without a piece of source', async (_what, last) => {
  const { status, stderr } = await endOf(last);
  expect(status).toBe(1);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(stderr)).toMatchObject({
    ...{ level: 60, name: 'scheduler', msg: 'the scheduler ended by a fault of its own' },
    err: { type: 'TypeError', message: 'nothing to read', stack: expect.any(String) },
  });
});

it('that nothing can be written to stdout and stderr any more is no fault', async () => {
  const full = openSync('/dev/full', 'w');
  const words = `process.stdout.write('ready'); process.stderr.write('a warning'); process.emitWarning('another');`;
  const { status } = await endOf(`${words} setImmediate(() => { ${words} setImmediate(() => process.exit(7)); });`, ['ignore', full, full]);
  closeSync(full);
  expect(status).toBe(7);
});

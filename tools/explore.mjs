// Looks for cases that properties do not hold in: each is tried many times as often as in `./weft test`, with cases that nobody has seen.
//
//   npm run explore -- [--times 60] [--seconds 30] [path pattern]
//
// `--times`: as often as the property says, times this; `--seconds`: at most so long for each. What fails is printed with its seed and path.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sources } from './sources.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', default: '60' }, seconds: { type: 'string', default: '30' } },
});
const pattern = new RegExp(positionals[0] ?? '');
const isProperty = (path) =>
  /(?<!\.(redis|docker|e2e))\.spec\.ts$/.test(path) && readFileSync(join(root, path), 'utf8').includes("from 'fast-check'");
const specs = sources(root).filter((path) => pattern.test(path) && isProperty(path));
if (specs.length === 0) {
  console.error(`no spec with properties matches ${pattern}`);
  process.exit(1);
}
const env = {
  ...process.env,
  NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
  WEFT_PROPERTY_SEED: 'any',
  WEFT_PROPERTY_TIMES: values.times,
  WEFT_PROPERTY_SECONDS: values.seconds,
};
const jest = join(root, 'node_modules/jest/bin/jest.js');
const { status } = spawnSync(process.execPath, [jest, '--selectProjects', 'unit', '--runTestsByPath', ...specs], {
  cwd: root,
  env,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

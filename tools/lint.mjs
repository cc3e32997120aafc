// ESLint, dependency-cruiser and Prettier over the repository's own files (`sources.mjs`), with the project graph built first: without one,
// @nx/enforce-module-boundaries prints that it is skipped and passes. The protos are checked as well. `--quick` leaves them out.
import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sources } from './sources.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' };

/** Runs a tool; its output is shown only where it fails. True: passed. */
function check(title, command, args, forbidden) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 64 << 20 });
  const output = `${stdout ?? ''}${stderr ?? ''}`;
  const ok = status === 0 && !(forbidden && output.includes(forbidden));
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${title}`);
  if (!ok) console.log(output.trim());
  return ok;
}

const bin = (name) => resolve(root, 'node_modules/.bin', name);
const files = sources(root);
const code = files.filter((file) => /^(apps|libs|tests)\/.*\.(ts|js|mjs|cjs)$/.test(file));
const results = [
  check('project graph', bin('nx'), ['graph', '--file=.nx/graph.json']),
  check('eslint', bin('eslint'), ['--max-warnings', '0', '--no-warn-ignored', ...code], 'rule will be skipped'),
  check('imports', bin('depcruise'), ['--config', '.dependency-cruiser.mjs', '--output-type', 'err-long', 'apps', 'libs', 'tests']),
  check('prettier', bin('prettier'), ['--check', '--log-level', 'warn', '--ignore-unknown', ...files]),
];
if (!process.argv.includes('--quick')) results.push(check('protos', process.execPath, ['tools/proto.mjs', '--check']));
process.exitCode = results.every(Boolean) ? 0 : 1;

// Lints the protos and generates libs/contracts/src/gen from them with buf (its binary ships inside the npm package).
// `--check` fails when the generated code in the tree is not what the protos give, and when a proto breaks what the latest
// released version (the newest tag v*, HEAD before the first one) promised to clients.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const gen = join(root, 'libs/contracts/src/gen');

/** Runs a command, inheriting its output; exits with its code when it fails. */
function must(command, args, cwd = root) {
  const result = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

const buf = join(root, 'node_modules/.bin/buf');
must(buf, ['lint'], join(root, 'proto'));
if (process.argv.includes('--check')) {
  const tag = spawnSync('git', ['tag', '--list', 'v*', '--sort=-v:refname'], { cwd: root, encoding: 'utf8' }).stdout.split('\n')[0];
  must(buf, ['breaking', 'proto', '--against', `.git#ref=${tag || 'HEAD'},subdir=proto`]);
  const fresh = mkdtempSync(join(tmpdir(), 'weft-proto-'));
  const template = JSON.stringify({
    version: 'v2',
    plugins: [{ local: join(root, 'node_modules/.bin/protoc-gen-ts_proto'), out: fresh, include_imports: true, opt: pluginOptions() }],
  });
  must(buf, ['generate', '--template', template], join(root, 'proto'));
  const diff = spawnSync('diff', ['-r', fresh, gen], { stdio: 'inherit' });
  rmSync(fresh, { recursive: true });
  if (diff.status !== 0) {
    console.error('libs/contracts/src/gen is not what proto/ gives: run `npm run proto` and commit the result');
    process.exit(1);
  }
} else {
  rmSync(gen, { recursive: true, force: true });
  must(buf, ['generate'], join(root, 'proto'));
}

/** The plugin options of buf.gen.yaml, so that check and generation cannot drift apart. */
function pluginOptions() {
  const listed = spawnSync('sed', ['-n', 's/^      - //p', join(root, 'proto/buf.gen.yaml')], { encoding: 'utf8' });
  return listed.stdout.trim().split('\n');
}

// Makes a clone ready to run: installs the npm packages that package-lock.json asks for and builds what is out of date.
// The launcher (../weft) calls it when its quick look says that something may have changed. Needs nothing but Node itself
// until the packages are there. Speaks on stderr only, and only when there is something to do.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exclusively } from './exclusive.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const wanted = join(root, 'package-lock.json');
const installed = join(root, 'node_modules/.package-lock.json');
/** A copy of the lock file that was installed last: what the launcher compares with. */
const mark = join(root, 'node_modules/.weft-installed.json');

const say = (line) => process.stderr.write(`weft: ${line}\n`);

async function ensurePackages() {
  await exclusively(
    `install ${root}`,
    async () => {
      if (sameFile(wanted, mark)) return;
      if (!isInstalled()) await install();
      if (!isInstalled()) throw new Error('npm did not install what package-lock.json asks for: does it agree with package.json?');
      mkdirSync(dirname(mark), { recursive: true });
      copyFileSync(wanted, mark);
    },
    () => say('waiting for another installation'),
  );
}

function sameFile(a, b) {
  return existsSync(b) && readFileSync(a).equals(readFileSync(b));
}

/** npm writes down what it installed; every package that the lock file wants on this platform must be in it, in that version. */
function isInstalled() {
  if (!existsSync(installed)) return false;
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages;
  const want = JSON.parse(readFileSync(wanted, 'utf8')).packages;
  return Object.entries(want).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const there = have[path];
    if (there === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true;
    return there.version === entry.version && (entry.integrity === undefined || there.integrity === entry.integrity);
  });
}

/**
 * The versions of the lock file, and the lock file left as it is. Not `npm ci`: that refuses a lock file made where the registry
 * lacks the optional packages of other platforms.
 */
function install() {
  say('installing npm packages (once; about half a minute)');
  return new Promise((done, fail) => {
    const npm = spawn('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = [];
    npm.stdout.on('data', (chunk) => output.push(chunk));
    npm.stderr.on('data', (chunk) => output.push(chunk));
    npm.on('error', (error) => fail(new Error(`npm cannot be started (${error.message}): install npm, which comes with Node.js`)));
    npm.on('close', (code) => {
      if (code === 0) return done();
      fail(new Error(`npm install failed with exit code ${code}:\n${Buffer.concat(output).toString()}`));
    });
  });
}

try {
  await ensurePackages();
  const { build } = await import('./build.mjs');
  await build({ log: say });
} catch (error) {
  process.stderr.write(`weft: ${error.message}\n`);
  process.exitCode = 1;
}

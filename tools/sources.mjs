// The files that are this repository's own, as paths from its root: what checks look at. As a program it prints
// them, one a line.
//
// 1. A clone is also a place where people work: results (`out/`), notes, workflows of their own lie about in it and are nobody's to judge.
// 2. Where git knows the clone: what it tracks, and what is new in the folders that hold code, where nobody keeps files of their own.
// 3. Where it does not (an unpacked archive, no git, a clone inside of another repository): the folders and files that are listed here.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folders that hold code. */
const CODE = ['apps', 'libs', 'proto', 'tests', 'tools'];
/** Looked at where nothing else tells whose a file is. `examples` is not: that is where people try things. */
const KNOWN = [
  ...CODE,
  ...['bench', 'deploy', 'docs', 'templates'],
  ...[
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'README.md',
    'eslint.config.mjs',
    'jest.config.mjs',
    'nx.json',
    'package.json',
    'tsconfig.json',
  ],
];
/** Made, not written; as in .gitignore. */
const MADE = /(^|\/)(node_modules|dist|coverage|__pycache__|\.[^/]+)(\/|$)|\.(log|pyc|tsbuildinfo)$/;

/** @param {string} root @returns {string[]} sorted, `/` between the parts */
export function sources(root) {
  const found = tracked(root) ?? listed(root);
  return [...new Set(found)].filter((file) => isFile(join(root, file))).sort();
}

/** Undefined: git is not there, or this is not the top of a repository of its own. */
function tracked(root) {
  if (!existsSync(join(root, '.git'))) return undefined;
  // Not what a hook's caller left in the environment; and a clone may belong to somebody else (a container's volume).
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const list = (...args) => {
    const options = { cwd: root, env, encoding: 'utf8', maxBuffer: 64 << 20 };
    const { status, stdout } = spawnSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z', ...args], options);
    return status === 0 ? stdout.split('\0').filter((file) => file !== '') : undefined;
  };
  const known = list('--cached');
  const added = list('--others', '--exclude-standard', '--', ...CODE);
  return known === undefined || added === undefined ? undefined : [...known, ...added];
}

function listed(root) {
  return KNOWN.filter((name) => existsSync(join(root, name))).flatMap((name) =>
    isFile(join(root, name))
      ? [name]
      : readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
          .filter((file) => !MADE.test(file))
          .map((file) => `${name}/${file}`),
  );
}

function isFile(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

const here = fileURLToPath(import.meta.url);
if (process.argv[1] === here) for (const file of sources(process.argv[2] ?? resolve(dirname(here), '..'))) console.log(file);

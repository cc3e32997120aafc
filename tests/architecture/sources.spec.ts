/** Which files are the repository's own. People work in a clone: what they put there is nobody's to judge, and breaks no check. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repositoryFiles } from './repository-files.js';

const OWN = ['.gitignore', 'README.md', 'apps/cli/src/a.ts', 'docs/guide.md', 'examples/x/job.yml', 'package.json'];
const NEW = ['libs/plan/src/new.ts', 'tests/new.spec.ts', 'tools/new.mjs'];
const STRANGERS = [
  ...['out/report.md', 'results/data.json', 'notes.md', 'my.cwl', 'package.json.orig', 'src/index.ts', 'out/project.json'],
  ...['examples/x/out/report.md', 'docs/mine.md', 'templates/mine.cwl', 'bench/figures.json'],
];
const MADE = ['node_modules/p/index.js', 'apps/cli/node_modules/q/index.ts', 'libs/plan/src/__pycache__/a.pyc', 'tests/debug.log'];

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'weft-sources-'));
  write(...OWN);
  writeFileSync(join(root, '.gitignore'), 'node_modules/\n__pycache__/\n*.log\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(...files: string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '{ not for   any tool');
  }
}

function git(...args: string[]): void {
  const { status, stderr } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

describe('in a clone', () => {
  beforeEach(() => {
    git('init', '--quiet');
    git('add', '.');
  });

  it('they are what git tracks, and what is new among the code', () => {
    write(...NEW, ...STRANGERS, ...MADE);
    expect(repositoryFiles(root)).toEqual([...OWN, ...NEW].sort());
  });

  it('a file that was removed is none, nor is a link', () => {
    rmSync(join(root, 'docs/guide.md'));
    symlinkSync('/etc/hostname', join(root, 'tests-link'));
    git('add', 'tests-link');
    expect(repositoryFiles(root)).toEqual(OWN.filter((file) => file !== 'docs/guide.md'));
  });

  it('names are taken as they are', () => {
    write('libs/ä b.ts');
    expect(repositoryFiles(root)).toContain('libs/ä b.ts');
  });
});

it('where git does not know the folder they are those in the folders of the repository', () => {
  write(...NEW, 'out/report.md', 'notes.md', 'examples/x/out/report.md', ...MADE);
  const told = ['README.md', 'apps/cli/src/a.ts', 'docs/guide.md', 'package.json', ...NEW].sort();
  expect(repositoryFiles(root)).toEqual(told);
});

it('a clone inside of another repository is not that one’s', () => {
  git('init', '--quiet');
  mkdirSync(join(root, 'inner/apps'), { recursive: true });
  writeFileSync(join(root, 'inner/apps/a.ts'), '');
  writeFileSync(join(root, 'inner/notes.md'), '');
  expect(repositoryFiles(join(root, 'inner'))).toEqual(['apps/a.ts']);
});

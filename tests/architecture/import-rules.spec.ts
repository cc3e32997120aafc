/** The rules of .dependency-cruiser.mjs bite: in a tree that breaks each of them, each is told, and nothing else is. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'weft-imports-'));
  write('tsconfig.json', '{ "compilerOptions": { "module": "nodenext" } }');
  write('package.json', '{ "type": "module" }');
});
afterEach(() => rmSync(tree, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(tree, file)), { recursive: true });
  writeFileSync(join(tree, file), `${text}\n`);
}

/** `rule: from` of each violation. */
function broken(): string[] {
  const args = ['--config', join(ROOT, '.dependency-cruiser.mjs'), '--output-type', 'json', 'apps', 'libs'];
  const { stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin/depcruise'), args, { cwd: tree, encoding: 'utf8' });
  if (!stdout.startsWith('{')) throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string }; from: string }[] } };
  return summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`).sort();
}

it('finds nothing where imports go one way', () => {
  write('libs/engine/src/decide.ts', "import { a } from './a.machine.js';\nexport const decide = a;");
  write('libs/engine/src/a.machine.ts', "import { leaf } from './leaf.js';\nexport const a = leaf;");
  write('libs/engine/src/leaf.ts', 'export const leaf = 1;');
  write('apps/scheduler/src/api/b.ts', "import { c } from '../runs/c.js';\nexport const b = c;");
  write('apps/scheduler/src/runs/c.ts', 'export const c = 1;');
  write('apps/scheduler/src/runs/c.spec.ts', "import { b } from '../api/b.js';\nexport const d = b;");
  expect(broken()).toEqual([]);
});

it('finds a circle, also one of types alone', () => {
  write('apps/x.ts', 'export {};');
  write('libs/x/src/a.ts', "import type { B } from './b.js';\nexport interface A { b: B }");
  write('libs/x/src/b.ts', "import type { A } from './a.js';\nexport interface B { a: A }");
  expect(broken()).toEqual(['no-circle: libs/x/src/a.ts']);
});

it('finds a machine that knows another, and whoever else knows one', () => {
  write('apps/x.ts', 'export {};');
  write('libs/engine/src/a.machine.ts', "import { b } from './b.machine.js';\nexport const a = b;");
  write('libs/engine/src/b.machine.ts', 'export const b = 1;');
  write('libs/engine/src/links.ts', "import { b } from './b.machine.js';\nexport const c = b;");
  expect(broken()).toEqual([
    'machines-alone: libs/engine/src/a.machine.ts',
    'machines-by-decide: libs/engine/src/a.machine.ts',
    'machines-by-decide: libs/engine/src/links.ts',
  ]);
});

it('finds a room of the scheduler that looks up', () => {
  write('libs/x.ts', 'export {};');
  write('apps/scheduler/src/runs/a.ts', "import { b } from '../admission/b.js';\nimport { c } from '../app.js';\nexport const a = [b, c];");
  write('apps/scheduler/src/admission/b.ts', 'export const b = 1;');
  write('apps/scheduler/src/app.ts', 'export const c = 1;');
  expect(broken()).toEqual(['scheduler-runs: apps/scheduler/src/runs/a.ts', 'scheduler-runs: apps/scheduler/src/runs/a.ts']);
});

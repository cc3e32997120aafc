/**
 * The layering and purity rules are only worth having if they bite: each planted violation must be reported by the rule that
 * is there for it, and a clean file by none. Without a project graph the boundary rule would silently pass everything.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NODE_OPTIONS: '' };

const planted: [string, string, string][] = [
  ['libs/engine', "import { readFileSync } from 'node:fs';\nexport const text = readFileSync('x', 'utf8');\n", 'no-restricted-imports'],
  ['libs/engine', "import pino from 'pino';\nexport const log = pino();\n", 'no-restricted-imports'],
  ['libs/engine', 'export const now = Date.now();\n', 'no-restricted-globals'],
  ['libs/plan', 'export const dice = Math.random();\n', 'no-restricted-properties'],
  ['libs/plan', "import { decide } from '@weft/engine';\nexport const d = decide;\n", '@nx/enforce-module-boundaries'],
  ['libs/cwl', "import { createLogger } from '@weft/platform';\nexport const l = createLogger('x');\n", '@nx/enforce-module-boundaries'],
  [
    'libs/queue',
    "import type { RunnerRegistry } from '@weft/registry';\nexport type R = RunnerRegistry;\n",
    '@nx/enforce-module-boundaries',
  ],
  [
    'apps/gateway',
    "import { startScheduler } from '../../scheduler/src/app.js';\nexport const s = startScheduler;\n",
    '@nx/enforce-module-boundaries',
  ],
  ['libs/queue', 'export const x: any = 1;\n', '@typescript-eslint/no-explicit-any'],
];

const files = planted.map(([project], i) => join(root, project, 'src', `planted-${i}.ts`));
let found: Record<string, string[]>;

beforeAll(() => {
  planted.forEach(([project, text], i) => {
    mkdirSync(join(root, project, 'src'), { recursive: true });
    writeFileSync(files[i] ?? '', text);
  });
  const graph = spawnSync(join(root, 'node_modules/.bin/nx'), ['graph', '--file=.nx/graph.json'], { cwd: root, env, encoding: 'utf8' });
  if (graph.status !== 0) throw new Error(`no project graph: ${graph.stdout}${graph.stderr}`);
  const lint = spawnSync(join(root, 'node_modules/.bin/eslint'), ['--format', 'json', join(root, 'libs/plan/src/canonical.ts'), ...files], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  const results = JSON.parse(lint.stdout) as { filePath: string; messages: { ruleId: string }[] }[];
  found = Object.fromEntries(results.map(({ filePath, messages }) => [filePath, messages.map(({ ruleId }) => ruleId)]));
}, 120_000);

afterAll(() => {
  for (const file of files) rmSync(file, { force: true });
});

it.each(planted.map(([project, text, rule], i) => [project, text.split('\n')[0], rule, i] as const))(
  '%s: %s → %s',
  (_project, _text, rule, i) => {
    expect(found[files[i] ?? '']).toContain(rule);
  },
);

it('a clean file has no findings', () => {
  expect(found[join(root, 'libs/plan/src/canonical.ts')]).toEqual([]);
});

/**
 * The layering and purity rules are only worth having if they bite: each planted violation must be reported by the rule that
 * is there for it, and a clean file by none. Without a project graph the boundary rule would silently pass everything.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from '@jest/globals';

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
  [
    'apps/step-runner',
    "import { readFileSync } from 'node:fs';\nexport const read = (path: string): string => readFileSync(path, 'utf8');\n",
    'no-restricted-imports',
  ],
  ['libs/runtimes', "import { open } from 'node:fs/promises';\nexport const o = open;\n", 'no-restricted-imports'],
  ['libs/queue', 'export const x: any = 1;\n', '@typescript-eslint/no-explicit-any'],
  ['libs/queue', 'export const all = (to: number[], from: number[]) => to.push(...from);\n', 'no-restricted-syntax'],
  ['libs/engine', 'export const CHUNK = 128;\n', 'no-restricted-syntax'],
  ['libs/engine', 'export const half = (of: number): number => of * 0.5;\n', 'no-restricted-syntax'],
  [
    'libs/queue',
    "import { Redis } from 'ioredis';\nexport const redis = new Redis({ path: 'x', maxRetriesPerRequest: null });\n",
    'no-restricted-syntax',
  ],
  ['libs/queue', 'export const most = (of: number[]) => Math.max(0, ...of);\n', 'no-restricted-syntax'],
  ['libs/queue', 'export const text = (of: number[]) => String.fromCharCode(...of);\n', 'no-restricted-syntax'],
  ['libs/queue', 'export const all = (of: number[][]) => of.flat().concat(...of);\n', 'no-restricted-syntax'],
  ['libs/queue', "export const plain = (uri: string) => uri.replace(/\\/+$/, '');\n", 'no-restricted-syntax'],
  ['libs/queue', "export const plain = (uri: string) => uri.replace(/(.)\\s*$/, '$1');\n", 'no-restricted-syntax'],
];

/** A file that is there, whose text the planted one stands in for: nothing is written, neither beside what other tests read nor for good. */
const PLACE: Readonly<Record<string, string>> = {
  'libs/engine': 'libs/engine/src/index.ts',
  'libs/plan': 'libs/plan/src/index.ts',
  'libs/cwl': 'libs/cwl/src/index.ts',
  'libs/queue': 'libs/queue/src/index.ts',
  'apps/gateway': 'apps/gateway/src/main.ts',
  'apps/step-runner': 'apps/step-runner/src/work-dir/collector.ts',
  'libs/runtimes': 'libs/runtimes/src/docker/docker-task.ts',
};
const CLEAN = 'libs/plan/src/canonical.ts';

/** Reads [file, text][] and prints the rules that each breaks. */
const LINT = `
  import { ESLint } from 'eslint';
  import { text } from 'node:stream/consumers';
  const eslint = new ESLint();
  const found = [];
  for (const [file, planted] of JSON.parse(await text(process.stdin))) {
    const [result] = await eslint.lintText(planted, { filePath: file });
    found.push(result.messages.map(({ ruleId, message }) => ruleId ?? message));
  }
  console.log(JSON.stringify(found));
`;

let found: string[][];

beforeAll(() => {
  const graph = spawnSync(join(root, 'node_modules/.bin/nx'), ['graph', '--file=.nx/graph.json'], { cwd: root, env, encoding: 'utf8' });
  if (graph.status !== 0) throw new Error(`no project graph: ${graph.stdout}${graph.stderr}`);
  const cases = [...planted.map(([project, text]) => [PLACE[project], text]), [CLEAN, readFileSync(join(root, CLEAN), 'utf8')]];
  const lint = spawnSync(process.execPath, ['--input-type=module', '-e', LINT], {
    ...{ cwd: root, env, encoding: 'utf8', input: JSON.stringify(cases) },
  });
  if (lint.status !== 0) throw new Error(lint.stderr);
  found = JSON.parse(lint.stdout) as string[][];
});

it.each(planted.map(([project, text, rule], i) => [project, text.split('\n')[0], rule, i] as const))(
  '%s: %s → %s',
  (_project, _text, rule, i) => {
    expect(found[i]).toContain(rule);
  },
);

it('a clean file has no findings', () => {
  expect(found.at(-1)).toEqual([]);
});

// Three kinds of rules: ordinary TypeScript hygiene, the layering of ARCHITECTURE.md (imports point down only), and the purity
// of libs/plan and libs/engine. tests/architecture/lint-bites.spec.ts plants violations and expects each of them to be found.
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** From the bottom up: a layer may import itself and the layers before it, but for what `EXCEPT` takes away. */
const LAYERS = [
  'threads',
  'plan',
  'cwl',
  'expressions',
  'engine',
  'contracts',
  'tasks',
  'run-store',
  'queue',
  'registry',
  'storage',
  'call-cache',
  'runtimes',
  'platform',
  'testing',
  'app',
];

/** Layers that must not see each other although one stands above the other. */
const MAY_IMPORT = {
  threads: ['threads'],
  plan: ['plan'],
  cwl: ['plan', 'cwl'],
  expressions: ['threads', 'plan', 'expressions'],
  engine: ['plan', 'engine'],
  contracts: ['contracts'],
};

const depConstraints = LAYERS.map((layer, i) => ({
  sourceTag: `layer:${layer}`,
  onlyDependOnLibsWithTags: (MAY_IMPORT[layer] ?? LAYERS.slice(0, layer === 'app' ? i : i + 1)).map((name) => `layer:${name}`),
}));

/** Files of the runner that open what no task can rename, and where that is. */
const BESIDE_WORK_DIRECTORIES = [
  // Its own configuration, host and root.
  ...['app', 'admission/host', 'sandbox/sandbox-root-id'].map((name) => `apps/step-runner/src/${name}.ts`),
  // Before the task is there.
  ...['stage', 'copy-input', 'shield', 'input-guard'].map((name) => `apps/step-runner/src/sandbox/${name}.ts`),
  // The sandbox beside the working directory.
  ...['adoption', 'attempt-memory'].map((name) => `apps/step-runner/src/attempts/${name}.ts`),
  // Where results, logs and fetched inputs lie.
  ...['publishing/publisher', 'logs/log-file', 'inputs/cache-store', 'inputs/input-cache', 'inputs/runner-files', 'inputs/take-in'].map(
    (name) => `apps/step-runner/src/${name}.ts`,
  ),
  // Takes a handle, or what was published.
  'apps/step-runner/src/publishing/sha1-file.ts',
  // How full disks are, and what /proc says of open files: no name of a task's is opened.
  ...['disks', 'open-and-removed'].map((name) => `apps/step-runner/src/disk/${name}.ts`),
  // Renames into an open directory.
  'apps/step-runner/src/work-dir/streams.ts',
  // Stream files beside the working directory, the mark beside it, and stdin before the task is there.
  ...['output', 'docker-runtime'].map((name) => `libs/runtimes/src/docker/${name}.ts`),
  // The operator's.
  'libs/runtimes/src/docker/registry-credentials.ts',
];

const IMPURE_GLOBALS = [
  'Date',
  'process',
  'Buffer',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'crypto',
  'fetch',
  'console',
];

const UNFINISHED_TESTS = [
  { selector: "CallExpression[callee.object.name='it'][callee.property.name=/^(skip|only|todo)$/]", message: 'a test runs or is gone' },
];
// Each argument of a call takes room on the stack; some 125,000 overflow it.
const SPREAD_ARGUMENTS = [
  'CallExpression[callee.property.name=/^(push|unshift|concat|splice|fromCharCode|fromCodePoint)$/] > SpreadElement',
  "CallExpression[callee.object.name='Math'] > SpreadElement",
  "CallExpression[callee.object.name='Object'][callee.property.name='assign'] > SpreadElement",
].map((selector) => ({ selector, message: 'what is spread here may be too long for the stack: loop, concat or reduce' }));

/** `/x+$/` without a beginning is tried at each x, and is as slow as the square of their number where something follows them. */
const SLOW_ENDS = [
  {
    selector: 'Literal[regex.pattern=/^(\\(\\.\\))?(\\\\?[^\\^]|\\[[^\\]]+\\])[+*]\\$$/]',
    message: 'takes time with the square of the text: use withoutEndSlashes of @weft/plan, trimEnd or a loop',
  },
];
const EVERYWHERE = [...UNFINISHED_TESTS, ...SPREAD_ARGUMENTS, ...SLOW_ENDS];
// A number that the engine decides by comes with the run (libs/engine/src/rules.ts): a replay under a later version decides as before.
const NUMBERS = [
  {
    selector: 'Literal[raw=/^([2-9]|1[0-9_.]|0[.xXbo])/]',
    message: 'a number that decisions depend on belongs into EngineRules, which each run takes from its log',
  },
];
// A connection that does not heal is deaf, or takes nothing any more, after a failover.
const CONNECTIONS = [
  {
    selector: "NewExpression[callee.name='Redis']:not(:has(SpreadElement > Identifier[name='HEALING']))",
    message: 'a connection to Redis heals: RedisLink of @weft/run-store, or HEALING among its options',
  },
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.nx/**', 'libs/contracts/src/gen/**', 'coverage/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: [],
          depConstraints,
          checkDynamicDependenciesExceptions: [],
          // Specs below libs/testing run its contract suites against their adapters; sources do not.
          ignoredCircularDependencies: LAYERS.slice(0, -2).map((layer) => [`@weft/${layer}`, '@weft/testing']),
        },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', ...EVERYWHERE],
      'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['apps/*/src/**/*.ts', 'libs/*/src/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...EVERYWHERE, ...CONNECTIONS] },
  },
  {
    files: ['libs/engine/src/**/*.ts'],
    ignores: ['libs/engine/src/rules.ts', 'libs/engine/src/testing.ts', 'libs/engine/src/random-histories.ts'],
    rules: { 'no-restricted-syntax': ['error', ...EVERYWHERE, ...NUMBERS] },
  },
  {
    files: ['**/*.spec.ts', '**/test/**/*.ts', '**/contract/**/*.ts', 'libs/testing/**/*.ts', '**/testing/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...UNFINISHED_TESTS],
      '@nx/enforce-module-boundaries': 'off',
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['libs/plan/src/**/*.ts', 'libs/engine/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!\\.|@weft/(plan|engine)$)', message: 'this lib is pure: it imports nothing but plan and engine' }] },
      ],
      'no-restricted-globals': [
        'error',
        ...IMPURE_GLOBALS.map((name) => ({ name, message: 'this lib is pure: time, ids and I/O come in as data' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'this lib is pure: randomness comes in as data' },
      ],
    },
  },
  {
    // What a task can rename is opened by OpenDirectory alone (libs/storage): a new file here is forbidden the file system until somebody has thought.
    files: ['apps/step-runner/src/**/*.ts', 'libs/runtimes/src/docker/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.fixture.ts', '**/fake-engine.ts', ...BESIDE_WORK_DIRECTORIES],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(node:)?fs(/promises)?$',
              message: 'a task may have put anything at that name: open it with OpenDirectory or openBeneath of @weft/storage',
            },
          ],
        },
      ],
    },
  },
  prettier,
);

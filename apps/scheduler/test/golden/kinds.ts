/**
 * The runs whose logs are kept: each kind of thing that the engine decides, small. Tools are not executed: a script says how each attempt ends.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, EngineEvent, RunOptions } from '@weft/engine';
import type { CwlObject } from '@weft/plan';

export type RunTask = Extract<Command, { type: 'RunTask' }>;

export interface Kind {
  document: object | { rootUri: string; files: Record<string, string> };
  inputs: CwlObject;
  options?: Partial<RunOptions>;
  /** How an attempt ends; absent: its tool says its inputs. */
  answer?(task: RunTask): Partial<Extract<EngineEvent, { type: 'TaskSucceeded' | 'TaskFailed' }>> | 'nothing';
  /** What comes from outside, after so many entries. */
  meanwhile?: Record<number, (answers: RunTask[]) => EngineEvent[]>;
  /** After its end it is retried, and tools answer as this says. */
  retried?: Kind['answer'];
  /** Answers are given in the order that tasks were asked for, backwards. */
  backwards?: boolean;
  /** Nothing is said of attempts before they end: there are many. */
  quiet?: boolean;
}

const NEEDS = {
  StepInputExpressionRequirement: {},
  InlineJavascriptRequirement: {},
  ScatterFeatureRequirement: {},
  SubworkflowFeatureRequirement: {},
  MultipleInputFeatureRequirement: {},
};
const flow = (inputs: object, outputs: object, steps: object, more: object = {}): object => ({
  ...{ cwlVersion: 'v1.2', class: 'Workflow', requirements: NEEDS, inputs, outputs, steps },
  ...more,
});
const inner = (inputs: object, outputs: object, steps: object): object => ({ ...flow(inputs, outputs, steps), cwlVersion: undefined });
const SAY = { class: 'CommandLineTool', baseCommand: 'say', inputs: { a: 'Any?', b: 'Any?' }, outputs: { out: 'Any' } };
const JS = {
  class: 'ExpressionTool',
  requirements: { InlineJavascriptRequirement: {} },
  inputs: { a: 'Any?' },
  outputs: { out: 'Any' },
  expression: '$({out: [inputs.a]})',
};
const step = (run: object, of: object, more: object = {}): object => ({ run, in: of, out: ['out'], ...more });
const list = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const SCATTER = { scatter: 'a' };
const failed = (code: string, retryable: boolean): ReturnType<NonNullable<Kind['answer']>> => ({
  type: 'TaskFailed',
  retryable,
  failure: { code, message: `${code} of a test` },
});
const PAIRS = { scatter: ['a', 'b'] };
const pairs = (scatterMethod: string): object =>
  flow(
    { x: 'int[]', y: 'int[]' },
    { o: { type: 'Any', outputSource: 's/out' } },
    { s: step(SAY, { a: 'x', b: 'y' }, { ...PAIRS, scatterMethod }) },
  );
const scattered = (more: object = {}, of: object = { a: 'x' }): object =>
  flow({ x: 'int[]' }, { o: { type: 'Any', outputSource: 's/out' } }, { s: step(SAY, of, { ...SCATTER, ...more }) });
const CHAIN = flow(
  { x: 'Any' },
  { o: { type: 'Any', outputSource: 'c/out' } },
  { a: step(SAY, { a: 'x' }), b: step(JS, { a: 'a/out' }), c: step(SAY, { a: 'b/out', b: 'x' }) },
);
const FORK = flow(
  { x: 'Any' },
  { left: { type: 'Any', outputSource: 'b/out' }, right: { type: 'Any', outputSource: 'd/out' } },
  { a: step(SAY, { a: 'x' }), b: step(SAY, { a: 'a/out' }), c: step(SAY, { b: 'x' }), d: step(SAY, { a: 'c/out' }) },
);
const merge = (linkMerge: string): object =>
  flow({ x: 'Any', y: 'Any' }, { o: { type: 'Any', outputSource: 's/out' } }, { s: step(SAY, { a: { source: ['x', 'y'], linkMerge } }) });
const picks = (pickValue: string, first: string, second: string): object =>
  flow(
    { x: 'Any', yes: 'boolean', no: 'boolean' },
    { o: { type: 'Any', outputSource: ['s/out', 't/out'], pickValue } },
    {
      s: step(SAY, { a: 'x', go: first }, { when: '$(inputs.go)' }),
      t: step(SAY, { a: 'x', go: second }, { when: '$(inputs.go)' }),
    },
  );
const loop = (outputMethod: string): object =>
  flow(
    { x: 'int' },
    { o: { type: 'Any', outputSource: 's/out' } },
    { s: step(SAY, { a: 'x' }, { when: '$(inputs.a < 4)', loop: { a: { valueFrom: '$(inputs.a + 1)' } }, outputMethod }) },
    { cwlVersion: 'v1.3.0-dev1' },
  );
const INNER = inner(
  { a: 'Any', b: 'Any' },
  { out: { type: 'Any', outputSource: 'q/out' } },
  { p: step(SAY, { a: 'a' }), q: step(SAY, { a: 'p/out', b: 'b' }, { scatter: 'b' }) },
);
const when = (yes: boolean): CwlObject => ({ x: 'x', yes: true, no: false, go: yes });
const isFirst = ({ taskId }: RunTask): boolean => taskId.endsWith('-1');

const AL_INPUTS: Record<string, CwlObject> = {
  'evaluation.cwl': { model: { class: 'File', location: 'file:///data/model', basename: 'model' } },
};

export const KINDS: Record<string, Kind> = {
  tool: { document: { cwlVersion: 'v1.2', ...SAY }, inputs: { a: 1 } },
  'expression-tool': { document: { cwlVersion: 'v1.2', ...JS }, inputs: { a: { deep: ['ü', null, 1.5] } } },
  chain: { document: CHAIN, inputs: { x: 'x' } },
  'fork-backwards': { document: FORK, inputs: { x: 'x' }, backwards: true },
  'merge-nested': { document: merge('merge_nested'), inputs: { x: [1], y: [2, 3] } },
  'merge-flattened': { document: merge('merge_flattened'), inputs: { x: [1], y: [2, 3] } },
  'pick-first': { document: picks('first_non_null', 'no', 'yes'), inputs: when(true) },
  'pick-all': { document: picks('all_non_null', 'yes', 'yes'), inputs: when(true) },
  'pick-only': { document: picks('the_only_non_null', 'yes', 'no'), inputs: when(true) },
  'pick-fails': { document: picks('the_only_non_null', 'yes', 'yes'), inputs: when(true) },
  scatter: { document: scattered(), inputs: { x: list(5) } },
  'scatter-backwards': { document: scattered(), inputs: { x: list(5) }, backwards: true },
  'scatter-of-nothing': { document: scattered(), inputs: { x: [] } },
  'scatter-in-chunks': { document: scattered({}, { a: { source: 'x', valueFrom: '$(self * 2)' } }), inputs: { x: list(300) }, quiet: true },
  'scatter-wide': { document: scattered(), inputs: { x: list(1_100) }, options: { maxParallelTasks: 3 }, quiet: true },
  'scatter-when': { document: scattered({ when: '$(inputs.a % 2 == 0)' }), inputs: { x: list(7) } },
  'scatter-dotproduct': { document: pairs('dotproduct'), inputs: { x: [1, 2], y: [3, 4] } },
  'scatter-flat': { document: pairs('flat_crossproduct'), inputs: { x: [1, 2], y: [3, 4, 5] } },
  'scatter-nested': { document: pairs('nested_crossproduct'), inputs: { x: [1, 2], y: [3, 4, 5] }, backwards: true },
  'scatter-uneven': { document: pairs('dotproduct'), inputs: { x: [1, 2], y: [3] } },
  'scatter-of-workflows': {
    document: flow(
      { x: 'int[]', y: 'int[]' },
      { o: { type: 'Any', outputSource: 's/out' } },
      { s: step(INNER, { a: 'x', b: 'y' }, SCATTER) },
    ),
    inputs: { x: list(4), y: list(3) },
    backwards: true,
  },
  when: {
    document: flow(
      { x: 'Any', go: 'boolean' },
      { o: { type: 'Any', outputSource: 't/out' } },
      { s: step(SAY, { a: 'x', go: 'go' }, { when: '$(inputs.go)' }), t: step(SAY, { a: 's/out' }) },
    ),
    inputs: { x: 'x', go: false },
  },
  'nested-workflow': {
    document: flow({ x: 'Any', y: 'Any' }, { o: { type: 'Any', outputSource: 's/out' } }, { s: step(INNER, { a: 'x', b: 'y' }) }),
    inputs: { x: 1, y: [2, 3] },
  },
  'loop-last': { document: loop('last_iteration'), inputs: { x: 0 } },
  'loop-all': { document: loop('all_iterations'), inputs: { x: 0 } },
  'loop-of-nothing': { document: loop('all_iterations'), inputs: { x: 9 } },
  failure: { document: FORK, inputs: { x: 'x' }, answer: (task) => (isFirst(task) ? failed('TOOL_EXIT', false) : {}) },
  'failure-stops-others': {
    document: scattered(),
    inputs: { x: list(4) },
    answer: (task) => (task.inputs['a'] === 1 ? failed('TOOL_EXIT', false) : 'nothing'),
  },
  'failure-continue': {
    document: FORK,
    inputs: { x: 'x' },
    options: { failureMode: 'continue' },
    answer: (task) => (isFirst(task) ? failed('TOOL_EXIT', false) : {}),
  },
  'failure-continue-scatter': {
    document: scattered(),
    inputs: { x: list(6) },
    options: { failureMode: 'continue' },
    answer: (task) => (task.inputs['a'] === 2 ? failed('TOOL_EXIT', false) : {}),
  },
  'failure-of-bindings': { document: scattered({}, { a: { source: 'x', valueFrom: '$(nothing.here)' } }), inputs: { x: list(3) } },
  'failure-of-an-expression': { document: { cwlVersion: 'v1.2', ...JS, expression: '${ throw new Error("no"); }' }, inputs: { a: 1 } },
  operation: {
    document: flow(
      { x: 'Any' },
      { o: { type: 'Any', outputSource: 's/out' } },
      { s: step({ class: 'Operation', inputs: { a: 'Any' }, outputs: { out: 'Any' } }, { a: 'x' }) },
    ),
    inputs: { x: 1 },
  },
  'attempts-then-success': {
    document: scattered(),
    inputs: { x: list(3) },
    options: { maxAttempts: 5 },
    answer: ({ attempt }) => (attempt < 4 ? failed('RUNNER_LOST', true) : {}),
  },
  'attempts-used-up': { document: scattered(), inputs: { x: list(2) }, answer: () => failed('RUNNER_LOST', true) },
  'more-memory': {
    document: { cwlVersion: 'v1.2', ...SAY },
    inputs: { a: 1 },
    options: { oomRetryFactor: 1.5 },
    answer: ({ attempt }) => (attempt < 3 ? failed('OUT_OF_MEMORY', false) : {}),
  },
  'from-the-cache': { document: scattered(), inputs: { x: list(3) }, answer: () => ({ cached: true, exitCode: 0 }) },
  cancelled: {
    document: CHAIN,
    inputs: { x: 'x' },
    answer: () => 'nothing',
    meanwhile: {
      3: () => [
        { type: 'CancelAsked', reason: 'enough' },
        { type: 'CancelAsked', reason: 'again' },
      ],
    },
  },
  'time-limit': {
    document: scattered(),
    inputs: { x: list(3) },
    options: { deadlineMs: 60_000 },
    answer: () => 'nothing',
    meanwhile: { 4: () => [{ type: 'CancelAsked', reason: 'too long', timeLimit: true }] },
  },
  'stopped-by-nobody': {
    document: { cwlVersion: 'v1.2', ...SAY },
    inputs: { a: 1 },
    answer: ({ attempt }) => (attempt === 1 ? 'nothing' : {}),
    meanwhile: { 3: (asked) => asked.map(({ taskId, attempt }) => ({ type: 'TaskCancelled', taskId, attempt })) },
  },
  'answers-twice-and-too-late': {
    document: scattered(),
    inputs: { x: list(2) },
    answer: ({ attempt }) => (attempt === 1 ? failed('RUNNER_LOST', true) : {}),
    meanwhile: {
      5: (asked) => [
        ...asked.map(({ taskId, attempt }): EngineEvent => ({ type: 'TaskSucceeded', taskId, attempt, outputs: { out: 'late' } })),
        { type: 'TaskSucceeded', taskId: 'nobody', attempt: 1, outputs: {} },
        { type: 'BindingsEvaluated', node: 's', iteration: 0, shards: [] },
        { type: 'RunRetried' },
      ],
    },
  },
  'retried-after-failure': {
    document: FORK,
    inputs: { x: 'x' },
    answer: (task) => (isFirst(task) ? failed('TOOL_EXIT', false) : {}),
    retried: () => ({}),
  },
  'retried-after-used-up-attempts': {
    document: scattered(),
    inputs: { x: list(2) },
    answer: () => failed('RUNNER_LOST', true),
    retried: ({ attempt }) => (attempt < 5 ? failed('RUNNER_LOST', true) : {}),
  },
  'retried-after-continue': {
    document: scattered(),
    inputs: { x: list(6) },
    options: { failureMode: 'continue' },
    answer: (task) => (task.inputs['a'] === 2 ? failed('TOOL_EXIT', false) : {}),
    retried: () => ({}),
  },
  'retried-after-cancel': {
    document: scattered({}, { a: { source: 'x', valueFrom: '$(self + 1)' } }),
    inputs: { x: list(150) },
    quiet: true,
    answer: () => 'nothing',
    meanwhile: { 2: () => [{ type: 'CancelAsked', reason: 'enough' }] },
    retried: () => ({}),
  },
  'retried-after-nested-failure': {
    document: flow(
      { x: 'int[]', y: 'int[]' },
      { o: { type: 'Any', outputSource: 's/out' } },
      { s: step(INNER, { a: 'x', b: 'y' }, SCATTER) },
    ),
    inputs: { x: list(2), y: list(2) },
    answer: ({ step: at, index }) => (at === 's/q' && index.startsWith('1') ? failed('TOOL_EXIT', false) : {}),
    retried: () => ({}),
  },
  'retried-in-a-loop': {
    document: loop('all_iterations'),
    inputs: { x: 0 },
    answer: ({ inputs }) => (inputs['a'] === 2 ? failed('TOOL_EXIT', false) : {}),
    retried: () => ({}),
  },
  'al-training': template('training.cwl'),
  'al-query': template('query-selection.cwl'),
  'al-evaluation': template('evaluation.cwl'),
};

/** A round's workflow, as the AL coordinator submits it; files are named and never read. */
function template(name: string): Kind {
  const folder = join(import.meta.dirname, '../../../../templates');
  const names = ['.', 'tools']
    .flatMap((sub) => readdirSync(join(folder, sub)).map((file) => join(sub, file)))
    .filter((file) => /\.(cwl|py)$/.test(file));
  // What the tools are written in is nothing to the engine, and long.
  const textOf = (file: string): string => (file.endsWith('.py') ? `# ${file}` : readFileSync(join(folder, file), 'utf8'));
  const files = Object.fromEntries(names.map((file) => [`file:///templates/${file}`, textOf(file)]));
  return { document: { rootUri: `file:///templates/${name}`, files }, inputs: AL_INPUTS[name] ?? {} };
}

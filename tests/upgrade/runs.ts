/**
 * The runs that are under way when the snapshot is taken, what each is there for, and how it ends. They take and give values alone: nothing of
 * them lies in files of the machine that recorded them.
 */
import { type gateway, run } from '@weft/contracts';

export interface RecordedRun {
  /** What the engine has decided of it, or has still to decide. */
  holds: string;
  document: object;
  inputs: object;
  more?: Partial<gateway.SubmitRequest>;
  /** Tasks that are done before everything dies. */
  done: number;
  /** Asked for just before. */
  cancelled?: true;
  /** It has ended by then, and is retried afterwards. */
  ended?: true;
  end: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  outputs?: object;
}

/** Says its words. */
const SAY = {
  class: 'CommandLineTool',
  requirements: { InlineJavascriptRequirement: {} },
  inputs: { a: 'Any', b: 'Any?' },
  baseCommand: ['sh', '-c', 'printf %s "$0.$1"'],
  arguments: ['$(inputs.a)', '$(inputs.b === null ? "" : inputs.b)'],
  stdout: 'said',
  outputs: { said: { type: 'string', outputBinding: { glob: 'said', loadContents: true, outputEval: '$(self[0].contents)' } } },
};
/** Fails with the code that it is given, unless that is 0. */
const EXIT = {
  ...SAY,
  temporaryFailCodes: [75],
  baseCommand: ['sh', '-c', 'printf %s "$0"; exit $0'],
  arguments: ['$(inputs.a)'],
};
const NEEDS = {
  StepInputExpressionRequirement: {},
  InlineJavascriptRequirement: {},
  ScatterFeatureRequirement: {},
  SubworkflowFeatureRequirement: {},
  MultipleInputFeatureRequirement: {},
};
const WORKFLOW = { cwlVersion: 'v1.2', class: 'Workflow', requirements: NEEDS };
const ONE_BY_ONE = { maxParallelTasks: 1, noCache: true };

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

const PAIR = {
  ...WORKFLOW,
  cwlVersion: undefined,
  inputs: { x: 'Any', y: 'Any' },
  outputs: { said: { type: 'string', outputSource: 'second/said' } },
  steps: {
    first: { run: SAY, in: { a: 'x', b: 'y' }, out: ['said'] },
    second: { run: SAY, in: { a: 'first/said', b: { default: 2 } }, out: ['said'] },
  },
};

export const RUNS: Record<string, RecordedRun> = {
  wide: {
    holds: 'a scatter of which some shards are begun, some wait and some are to be begun',
    document: {
      ...WORKFLOW,
      inputs: { n: 'int[]' },
      outputs: { said: { type: 'string[]', outputSource: 'say/said' } },
      steps: { say: { run: SAY, scatter: 'a', in: { a: 'n' }, out: ['said'] } },
    },
    inputs: { n: numbers(1_100) },
    more: { noCache: true },
    done: 20,
    end: 'SUCCEEDED',
    outputs: { said: numbers(1_100).map((n) => `${n}.`) },
  },
  bound: {
    holds: 'a scatter whose bindings are evaluated in chunks, with shards that are skipped',
    document: {
      ...WORKFLOW,
      inputs: { n: 'int[]' },
      outputs: { said: { type: 'Any', outputSource: 'say/said' } },
      steps: {
        say: { run: SAY, scatter: 'a', when: '$(inputs.a % 40 == 0)', in: { a: 'n', b: { valueFrom: '$(inputs.a + 1)' } }, out: ['said'] },
      },
    },
    inputs: { n: numbers(400) },
    more: ONE_BY_ONE,
    done: 3,
    end: 'SUCCEEDED',
    outputs: { said: numbers(400).map((n) => (n % 40 === 0 ? `${n}.${n + 1}` : null)) },
  },
  nested: {
    holds: 'a nested crossproduct over a workflow of two steps',
    document: {
      ...WORKFLOW,
      inputs: { xs: 'int[]', ys: 'int[]' },
      outputs: { said: { type: 'Any', outputSource: 'pair/said' } },
      steps: {
        pair: { run: PAIR, scatter: ['x', 'y'], scatterMethod: 'nested_crossproduct', in: { x: 'xs', y: 'ys' }, out: ['said'] },
      },
    },
    inputs: { xs: numbers(6), ys: numbers(5) },
    more: ONE_BY_ONE,
    done: 5,
    end: 'SUCCEEDED',
    outputs: { said: numbers(6).map((x) => numbers(5).map((y) => `${x}.${y}.2`)) },
  },
  loop: {
    holds: 'a loop that has some iterations behind it',
    document: {
      ...WORKFLOW,
      cwlVersion: 'v1.3.0-dev1',
      inputs: { a: 'string' },
      outputs: { said: { type: 'Any', outputSource: 'say/said' } },
      steps: {
        say: {
          run: SAY,
          when: '$(inputs.a.length < 60)',
          loop: { a: 'said' },
          outputMethod: 'all_iterations',
          in: { a: 'a' },
          out: ['said'],
        },
      },
    },
    inputs: { a: '.' },
    more: ONE_BY_ONE,
    done: 5,
    end: 'SUCCEEDED',
    outputs: { said: numbers(59).map((n) => '.'.repeat(n + 2)) },
  },
  goesOn: {
    holds: 'a failure that did not stop the run, and what goes on beside it',
    document: {
      ...WORKFLOW,
      inputs: { codes: 'int[]' },
      outputs: { said: { type: 'Any', outputSource: 'exit/said' } },
      steps: { exit: { run: EXIT, scatter: 'a', in: { a: 'codes' }, out: ['said'] } },
    },
    inputs: { codes: numbers(60).map((n) => (n === 1 ? 3 : 0)) },
    more: { ...ONE_BY_ONE, failureMode: run.FailureMode.CONTINUE },
    done: 4,
    end: 'FAILED',
  },
  triesAgain: {
    holds: 'a task whose next attempt waits for its back-off',
    document: { cwlVersion: 'v1.2', ...EXIT, inputs: { a: 'int' } },
    inputs: { a: 75 },
    more: { ...ONE_BY_ONE, maxAttempts: 4 },
    done: 0,
    end: 'FAILED',
  },
  cancelled: {
    holds: 'a cancel that is under way',
    document: {
      ...WORKFLOW,
      inputs: { n: 'int[]' },
      outputs: { said: { type: 'string[]', outputSource: 'say/said' } },
      steps: { say: { run: SAY, scatter: 'a', in: { a: 'n' }, out: ['said'] } },
    },
    inputs: { n: numbers(300) },
    more: ONE_BY_ONE,
    done: 3,
    cancelled: true,
    end: 'CANCELLED',
  },
  failed: {
    holds: 'a run that has ended, and is taken up again by a retry',
    document: {
      ...WORKFLOW,
      inputs: { a: 'int' },
      outputs: { said: { type: 'string', outputSource: 'last/said' } },
      steps: { first: { run: SAY, in: { a: 'a' }, out: ['said'] }, last: { run: EXIT, in: { a: 'a', b: 'first/said' }, out: ['said'] } },
    },
    inputs: { a: 4 },
    more: ONE_BY_ONE,
    done: 1,
    ended: true,
    end: 'FAILED',
  },
};

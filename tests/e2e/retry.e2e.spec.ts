/**
 * Runs that failed go on from what succeeded, and runs that may go on after failures do.
 *
 * Invariants: each tool writes one line for each start, so that what was executed again shows.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@weft/contracts';
import { Runs } from './runs-client.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

/** Fails while there is no file `<folder>/<name>`; says its name otherwise. */
const GUARDED = {
  class: 'CommandLineTool',
  requirements: { InlineJavascriptRequirement: {} },
  inputs: { folder: 'string', name: 'string', after: 'Any?', too: 'Any?' },
  baseCommand: ['sh', '-c', 'echo "$1" >> "$0/starts"; test -e "$0/$1" || { echo "$1 is not ready" >&2; exit 7; }; printf %s "$1"'],
  arguments: ['$(inputs.folder)', '$(inputs.name)'],
  stdout: 'said.txt',
  outputs: { said: { type: 'string', outputBinding: { glob: 'said.txt', loadContents: true, outputEval: '$(self[0].contents)' } } },
};

/** first → second; `other` beside them. */
const WORKFLOW = {
  cwlVersion: 'v1.2',
  class: 'Workflow',
  requirements: { StepInputExpressionRequirement: {} },
  inputs: { folder: 'string' },
  outputs: { second: { type: 'string', outputSource: 'second/said' }, other: { type: 'string', outputSource: 'other/said' } },
  steps: {
    first: { run: GUARDED, in: { folder: 'folder', name: { default: 'first' } }, out: ['said'] },
    second: { run: GUARDED, in: { folder: 'folder', name: { default: 'second' }, after: 'first/said' }, out: ['said'] },
    other: { run: GUARDED, in: { folder: 'folder', name: { default: 'other' } }, out: ['said'] },
  },
};

const { first, second, other } = WORKFLOW.steps;
/** `second` comes last: nothing is under way that its failure would stop. */
const IN_ORDER = { ...WORKFLOW, steps: { first, other, second: { ...second, in: { ...second.in, too: 'other/said' } } } };

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, START_TIMEOUT_MS);
afterAll(() => stack.stop());

interface World {
  document: string;
  folder: string;
  ready(name: string): void;
  starts(): string[];
}

function world(workflow: object = WORKFLOW): World {
  const base = mkdtempSync(join(stack.scratch, 'retry-'));
  const [document, folder] = [join(base, 'workflow.cwl'), join(base, 'world')];
  mkdirSync(folder);
  writeFileSync(document, JSON.stringify(workflow));
  return {
    document,
    folder,
    ready: (name) => writeFileSync(join(folder, name), ''),
    starts: () => readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n').sort(),
  };
}

/** The id of the run that a command speaks of. */
const runIdIn = (text: string): string => /r-[0-9a-z]{26}/.exec(text)?.[0] ?? '';

it('weft retry goes on from what succeeded', async () => {
  const { document, folder, ready, starts } = world(IN_ORDER);
  ready('first');
  ready('other');
  const failed = await stack.weft(['run', '--no-cache', document, '--folder', folder]);
  expect([failed.code, failed.stdout]).toEqual([1, '']);
  expect(failed.stderr).toContain("step 'second'");
  expect(failed.stderr).toContain('second is not ready');
  const runId = runIdIn(failed.stderr);

  const again = await stack.weft(['retry', runId]);
  expect(again.code).toBe(1);
  ready('second');
  const retried = await stack.weft(['retry', runId]);
  expect([retried.code, JSON.parse(retried.stdout)]).toEqual([0, { second: 'second', other: 'other' }]);
  expect(starts()).toEqual(['first', 'other', 'second', 'second', 'second']);

  expect(JSON.parse((await stack.weft(['show', '--json', runId])).stdout)).toMatchObject({ status: 'RUN_STATUS_SUCCEEDED' });
  const refused = await stack.weft(['retry', runId]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`run ${runId} succeeded: there is nothing to retry`)]);
});

it('--on-error continue runs what does not need the step that failed', async () => {
  const { document, folder, ready, starts } = world();
  ready('other');
  const failed = await stack.weft(['run', '--no-cache', '--on-error', 'continue', document, '--folder', folder]);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("step 'first'");
  expect(failed.stderr).toMatch(/the output object is what succeeded, 1 of 2 outputs, in .*; null: second/);
  expect(JSON.parse(failed.stdout)).toEqual({ second: null, other: 'other' });
  expect(starts()).toEqual(['first', 'other']);
  ready('first');
  ready('second');
  const retried = await stack.weft(['retry', runIdIn(failed.stderr)]);
  expect([retried.code, JSON.parse(retried.stdout)]).toEqual([0, { second: 'second', other: 'other' }]);
  expect(starts()).toEqual(['first', 'first', 'other', 'second']);
});

it('a cancelled run goes on as well; a watcher sees its new end, not the first', async () => {
  const gate = stack.fifo('pipe');
  const tool = {
    cwlVersion: 'v1.2',
    class: 'CommandLineTool',
    inputs: { pipe: 'string' },
    baseCommand: ['sh', '-c', 'read word < "$0"; printf %s "$word"'],
    arguments: ['$(inputs.pipe)'],
    stdout: 'word.txt',
    outputs: { word: { type: 'string', outputBinding: { glob: 'word.txt', loadContents: true, outputEval: '$(self[0].contents)' } } },
    requirements: { InlineJavascriptRequirement: {} },
  };
  const runs = new Runs(stack.grpc);
  try {
    const runId = await runs.submit(tool, { pipe: gate.path }, { noCache: true });
    await runs.untilRunning(runId);
    await runs.cancel(runId);
    expect((await runs.end(runId)).status).toBe(run.RunStatus.CANCELLED);
    await runs.retry(runId);
    gate.open();
    const { status, outputsJson } = await runs.end(runId);
    expect([status, JSON.parse(outputsJson)]).toEqual([run.RunStatus.SUCCEEDED, { word: 'go' }]);
  } finally {
    runs.close();
  }
});

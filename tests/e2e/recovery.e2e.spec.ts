/**
 * What dies comes back and goes on: the scheduler and the step-runner are killed while a step is at work.
 *
 * Invariants: the tool writes one line for each start; a second one would be a step that was executed twice.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@weft/contracts';
import { ContainerEvents, describeWithDocker } from './docker.js';
import { Runs } from './runs-client.js';
import { type Gate, Stack, START_TIMEOUT_MS } from './stack.js';

/** Waits for the gate, then says a word; a second step makes it louder. */
function workflow(requirements: object = {}): object {
  const gatekeeper = {
    class: 'CommandLineTool',
    requirements: { ...requirements, InitialWorkDirRequirement: { listing: [{ entry: '$(inputs.gate)', writable: true }] } },
    inputs: { gate: 'Directory' },
    baseCommand: ['sh', '-c', 'cd "$0"; echo started >> starts; echo waiting >&2; read word < pipe; printf %s "$word"'],
    arguments: ['$(inputs.gate.path)'],
    stdout: 'word.txt',
    outputs: { word: 'stdout' },
  };
  const louder = {
    class: 'CommandLineTool',
    inputs: { word: { type: 'File', streamable: true } },
    stdin: '$(inputs.word.path)',
    baseCommand: ['tr', 'a-z', 'A-Z'],
    stdout: 'loud.txt',
    outputs: { loud: { type: 'string', outputBinding: { glob: 'loud.txt', loadContents: true, outputEval: '$(self[0].contents)' } } },
  };
  return {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: { InlineJavascriptRequirement: {}, InplaceUpdateRequirement: { inplaceUpdate: true } },
    inputs: { gate: 'Directory' },
    outputs: { said: { type: 'string', outputSource: 'louder/loud' } },
    steps: {
      wait: { run: gatekeeper, in: { gate: 'gate' }, out: ['word'] },
      louder: { run: louder, in: { word: 'wait/word' }, out: ['loud'] },
    },
  };
}

const DOCKER = { DockerRequirement: { dockerPull: 'debian:stable-slim' } };

let stack: Stack;
let runs: Runs;
let gate: Gate;

beforeAll(async () => {
  stack = await Stack.start();
  runs = new Runs(stack.grpc);
}, START_TIMEOUT_MS);
beforeEach(() => {
  gate = stack.fifo('pipe');
});
afterAll(async () => {
  runs.close();
  await stack.stop();
});

/** Submits, and resolves once the first step stands before the gate. */
async function begun(requirements?: object): Promise<string> {
  const runId = await runs.submit(workflow(requirements), { gate: { class: 'Directory', location: `file://${gate.directory}` } });
  await runs.untilLogged(runId, 'waiting');
  return runId;
}

/** Opens the gate; the run must end as if nothing had happened. */
async function endsWell(runId: string): Promise<void> {
  gate.open();
  const { status, outputsJson, failure } = await runs.end(runId);
  expect([status, failure, JSON.parse(outputsJson || 'null')]).toEqual([run.RunStatus.SUCCEEDED, undefined, { said: 'GO' }]);
  expect(readFileSync(join(gate.directory, 'starts'), 'utf8')).toBe('started\n');
  await stack.noSandboxLeft();
}

it(
  'the scheduler: a process goes on and its run ends with the right output',
  async () => {
    const runId = await begun();
    await stack.killAndAwaitReturn('scheduler');
    await endsWell(runId);
  },
  START_TIMEOUT_MS,
);

describeWithDocker('with a container at work', () => {
  it.each(['scheduler', 'step-runner'])(
    'the %s: the same container goes on and its run ends with the right output',
    async (victim) => {
      const events = await ContainerEvents.open();
      const runId = await begun(DOCKER);
      const { id } = await events.of(runId, 'start');
      await stack.killAndAwaitReturn(victim);
      await endsWell(runId);
      await events.of(runId, 'destroy');
      expect(events.all(runId).filter(({ action }) => action === 'start')).toMatchObject([{ id }]);
      events.close();
    },
    START_TIMEOUT_MS,
  );
});

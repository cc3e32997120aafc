/**
 * A run whose first step stands before a gate until the test opens it.
 *
 * Invariants: the tool writes one line for each start; a second one is a step that was executed twice.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@weft/contracts';
import type { Runs } from './runs-client.js';
import type { Gate, Stack } from './stack.js';

/** On the host it is given the gate's path, and writes a line for each start there. */
const ON_HOST = { gate: 'string', wait: 'cd "$0"; echo started >> starts; echo at the gate >&2; read word < pipe; printf %s "$word"' };
/** Inputs are read-only, and no pipes: it looks into the gate's directory until something is there, and its log says how often it began. */
const IN_CONTAINER = { gate: 'Directory', wait: 'echo at the gate >&2; until [ -e "$0/go" ]; do sleep 0.1; done; printf go' };

const contained = (requirements: object | undefined): boolean => requirements !== undefined && 'DockerRequirement' in requirements;

/** Waits for the gate, then says a word; a second step makes it louder. */
export function gatedWorkflow(requirements: object = {}): object {
  const { gate, wait } = contained(requirements) ? IN_CONTAINER : ON_HOST;
  const gatekeeper = {
    class: 'CommandLineTool',
    requirements: { ...requirements, WorkReuse: { enableReuse: false } },
    inputs: { gate },
    baseCommand: ['sh', '-c', wait],
    arguments: [contained(requirements) ? '$(inputs.gate.path)' : '$(inputs.gate)'],
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
    requirements: { InlineJavascriptRequirement: {} },
    inputs: { gate },
    outputs: { said: { type: 'string', outputSource: 'louder/loud' } },
    steps: {
      wait: { run: gatekeeper, in: { gate: 'gate' }, out: ['word'] },
      louder: { run: louder, in: { word: 'wait/word' }, out: ['loud'] },
    },
  };
}

export const DOCKER = { DockerRequirement: { dockerPull: 'debian:stable-slim' } };

/** Submits, and resolves once the first step stands before the gate. */
export async function begun(runs: Runs, gate: Gate, requirements?: object): Promise<string> {
  const seen = { class: 'Directory', location: `file://${gate.seen}` };
  const runId = await runs.submit(gatedWorkflow(requirements), { gate: contained(requirements) ? seen : gate.directory });
  await runs.untilLogged(runId, 'at the gate');
  return runId;
}

/** Opens the gate; the run must end as if nothing had happened, and leave nothing behind. */
export async function endsWell(stack: Stack, runs: Runs, gate: Gate, runId: string): Promise<void> {
  gate.open();
  await endedWell(runs, gate, runId);
  await stack.noSandboxLeft();
}

/** `starts`: how often its first step was begun. */
export async function endedWell(
  runs: Pick<Runs, 'end'> & Partial<Pick<Runs, 'logs'>>,
  gate: Gate,
  runId: string,
  starts = 1,
): Promise<void> {
  const { status, outputsJson, failure } = await runs.end(runId);
  expect([status, failure, JSON.parse(outputsJson || 'null')]).toEqual([run.RunStatus.SUCCEEDED, undefined, { said: 'GO' }]);
  const file = join(gate.directory, 'starts');
  if (existsSync(file)) return expect(readFileSync(file, 'utf8')).toBe('started\n'.repeat(starts));
  let said = '';
  for await (const { text } of runs.logs?.(runId) ?? []) said += text;
  expect(said).toBe('at the gate\n'.repeat(starts));
}

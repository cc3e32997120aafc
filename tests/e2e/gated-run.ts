/**
 * A run whose first step stands before a gate until the test opens it.
 *
 * Invariants: the tool writes one line for each start; a second one is a step that was executed twice.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@weft/contracts';
import type { Runs } from './runs-client.js';
import type { Gate, Stack } from './stack.js';

/** Waits for the gate, then says a word; a second step makes it louder. */
export function gatedWorkflow(requirements: object = {}): object {
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

export const DOCKER = { DockerRequirement: { dockerPull: 'debian:stable-slim' } };

/** Submits, and resolves once the first step stands before the gate. */
export async function begun(runs: Runs, gate: Gate, requirements?: object): Promise<string> {
  const runId = await runs.submit(gatedWorkflow(requirements), { gate: { class: 'Directory', location: `file://${gate.directory}` } });
  await runs.untilLogged(runId, 'waiting');
  return runId;
}

/** Opens the gate; the run must end as if nothing had happened, and leave nothing behind. */
export async function endsWell(stack: Stack, runs: Runs, gate: Gate, runId: string): Promise<void> {
  gate.open();
  await endedWell(runs, gate, runId);
  await stack.noSandboxLeft();
}

/** `starts`: how often its first step was begun. */
export async function endedWell(runs: Pick<Runs, 'end'>, gate: Gate, runId: string, starts = 1): Promise<void> {
  const { status, outputsJson, failure } = await runs.end(runId);
  expect([status, failure, JSON.parse(outputsJson || 'null')]).toEqual([run.RunStatus.SUCCEEDED, undefined, { said: 'GO' }]);
  expect(readFileSync(join(gate.directory, 'starts'), 'utf8')).toBe('started\n'.repeat(starts));
}

/** Input and output objects of runs: as they come with a message about a run, or by themselves where they are long. */
import { run } from '@weft/contracts';
import { type CwlObject, readJson } from '@weft/plan';
import type { RunsClient } from './runs-client.js';

type Reader = Pick<RunsClient, 'object'>;

export async function inputsOf(runs: Reader, { runId, inputsJson, inputsOmitted }: run.Run): Promise<CwlObject> {
  return objectOf(inputsOmitted ? await objectText(runs, runId, run.ObjectKind.INPUTS) : inputsJson);
}

export async function outputsOf(
  runs: Reader,
  runId: string,
  { outputsJson, outputsOmitted }: Pick<run.Run, 'outputsJson' | 'outputsOmitted'>,
): Promise<CwlObject> {
  return objectOf(outputsOmitted ? await objectText(runs, runId, run.ObjectKind.OUTPUTS) : outputsJson);
}

export async function objectText(runs: Reader, runId: string, kind: run.ObjectKind): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const { data } of runs.object(runId, kind)) parts.push(data);
  return Buffer.concat(parts).toString();
}

function objectOf(json: string): CwlObject {
  return readJson(json || '{}') as CwlObject;
}

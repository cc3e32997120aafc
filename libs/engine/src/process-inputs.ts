/** What a process gets for its inputs. */
import type { CwlObject, CwlValue, Plan, Process } from '@weft/plan';

/** Only what the process declares, with defaults where nothing or null was given (CWL v1.2 §2.3.1 `default`). */
export function withDefaults(process: Process, inputs: CwlObject): Record<string, CwlValue> {
  const complete: Record<string, CwlValue> = {};
  for (const parameter of process.inputs) complete[parameter.name] = inputs[parameter.name] ?? parameter.default ?? null;
  return complete;
}

/** The inputs of a run as its root process has them. */
export function runInputs({ processes, root }: Plan, given: CwlObject): Record<string, CwlValue> {
  const process = processes[root];
  if (!process) throw new Error(`the plan has no process '${root}'`);
  return withDefaults(process, given);
}

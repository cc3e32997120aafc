/** One workflow as the link checks see it: its parts by name, and where they were written. */
import type { InputParameter, OutputParameter, Process, SourceRef, Workflow, WorkflowStep } from '@weft/plan';
import type { Origins } from '../build/context.js';
import type { Reporter } from '../diagnostics.js';
import { fieldPlace, itemsOf, startOf, type MapNode, type Place } from '../source/node.js';

const MAX_HINTS = 50;

export class WorkflowScope {
  private asked = 0;
  /** What steps list in `out`, what they give, and what their processes' outputs are. */
  private readonly outs = new Map<WorkflowStep, ReadonlySet<string>>();
  private readonly outputs = new Map<Process, ReadonlyMap<string, OutputParameter>>();
  private readonly scattered = new Map<WorkflowStep, ReadonlySet<string>>();
  readonly inputs: Map<string, InputParameter>;
  readonly steps: Map<string, WorkflowStep>;

  constructor(
    readonly workflow: Workflow,
    private readonly processes: Readonly<Record<string, Process>>,
    readonly origins: Origins,
    readonly reporter: Reporter,
  ) {
    this.inputs = new Map(workflow.inputs.map((input) => [input.name, input]));
    this.steps = new Map(workflow.steps.map((step) => [step.name, step]));
  }

  /** Undefined where it could not be built; that was reported. */
  processOf(step: WorkflowStep): Process | undefined {
    return Object.hasOwn(this.processes, step.run) ? this.processes[step.run] : undefined;
  }

  outOf(step: WorkflowStep): ReadonlySet<string> {
    return remembered(this.outs, step, () => new Set(step.out));
  }

  scatterOf(step: WorkflowStep): ReadonlySet<string> {
    return remembered(this.scattered, step, () => new Set(step.scatter));
  }

  outputsOf(process: Process): ReadonlyMap<string, OutputParameter> {
    return remembered(this.outputs, process, () => new Map([...process.outputs].reverse().map((output) => [output.name, output])));
  }

  /** Place of a field of a part, of the part itself where it lacks the field. */
  placeOf(part: object, name?: string): Place {
    const node = this.origins.node(part);
    if (node === undefined) return this.startOfWorkflow();
    return name === undefined ? startOf(node) : fieldPlace(node, name);
  }

  /** Place of the n-th item of a field that is a list or one value. */
  itemPlace(part: object, name: string, index: number): Place {
    const value = this.origins.node(part)?.entries.get(name)?.value;
    const item = value && itemsOf(value)[index];
    return item ? startOf(item) : this.placeOf(part, name);
  }

  sourcePlace(ref: SourceRef): Place {
    return this.origins.place(ref) ?? this.startOfWorkflow();
  }

  /** Whether the nearest name is still looked for: after MAX_HINTS times a document has other problems than a slip of the pen. */
  mayAsk(): boolean {
    this.asked += 1;
    return this.asked <= MAX_HINTS;
  }

  /** Everything that a source may name, as an author writes it; nothing after MAX_HINTS questions, so that many mistakes cost no more than linear time. */
  sourceNames(): string[] {
    if (!this.mayAsk()) return [];
    return [...this.inputs.keys(), ...this.workflow.steps.flatMap((step) => step.out.map((port) => `${step.name}/${port}`))];
  }

  private startOfWorkflow(): Place {
    return startOf(this.origins.node(this.workflow) as MapNode);
  }
}

function remembered<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    known.set(key, value);
  }
  return value;
}

export function refName(ref: SourceRef): string {
  return ref.step === null ? ref.port : `${ref.step}/${ref.port}`;
}

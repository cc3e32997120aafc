/**
 * A part of a workflow as a plan of its own: what targets need or lead to, one step, or the process behind a step. As with cwltool's --target,
 * --single-step and --single-process.
 *
 * Invariants:
 *  1. What is left runs under the requirements that it has in the whole.
 *  2. A value that a step takes from one that is left out is an input, by the name `step_output`.
 */
import {
  inherit,
  NO_REQUIREMENTS,
  pushTo,
  type CwlType,
  type EffectiveRequirements,
  type InputParameter,
  type Link,
  type Plan,
  type Process,
  type SourceRef,
  type StepInput,
  type Workflow,
  type WorkflowStep,
} from '@weft/plan';
import { namesOf } from './diagnostics.js';
import { didYouMean } from './source/nearest-name.js';

/** One of these; the others are empty. */
export interface DocumentPart {
  /** Outputs with what they need; steps, outputs of steps and inputs with what follows from them. */
  targets: string[];
  /** Path of a step: its scatter, condition and expressions are in effect, and its inputs are asked for. */
  step: string;
  /** Path of a step whose process is run alone. */
  process: string;
}

/** Each is a walk over the workflow. */
const MAX_TARGETS = 100;
const ANYTHING: CwlType = ['null', 'Any'];

/** The part as a plan, or why there is none. */
export function selectPart(plan: Plan, part: DocumentPart): Plan | string {
  const { targets, step, process } = part;
  if ([targets.length > 0, step !== '', process !== ''].filter(Boolean).length !== 1)
    return 'a part of a document is either its targets, one step, or the process of one step';
  const root = plan.processes[plan.root];
  if (root?.class !== 'Workflow') return `only a part of a Workflow can be run, and '${plan.root}' is a ${root?.class}`;
  if (targets.length > MAX_TARGETS) return `there are ${targets.length} targets; at most ${MAX_TARGETS} can be named`;
  if (targets.length > 0) return withRoot(plan, root, new Targets(root, plan).select(targets));
  const found = findStep(plan, root, step || process);
  if (typeof found === 'string') return found;
  return process === '' ? withRoot(plan, root, singleStep(plan, found)) : singleProcess(plan, found);
}

interface Found {
  step: WorkflowStep;
  workflow: Workflow;
  /** Of the workflows around it; its own are not among them. */
  around: EffectiveRequirements;
}

function findStep(plan: Plan, root: Workflow, path: string): Found | string {
  let around = inherit(NO_REQUIREMENTS, root);
  let workflow = root;
  const names = path.split('/');
  for (const [depth, name] of names.entries()) {
    const step = workflow.steps.find((one) => one.name === name);
    if (step === undefined) {
      const all = workflow.steps.map((one) => [...names.slice(0, depth), one.name].join('/'));
      return `there is no step '${path}': ${didYouMean(path, all) ?? `there are ${namesOf(all, 20)}`}`;
    }
    if (depth === names.length - 1) return { step, workflow, around };
    const process = plan.processes[step.run];
    if (process?.class !== 'Workflow') return `there is no step '${path}': '${names.slice(0, depth + 1).join('/')}' has no steps`;
    around = inherit(inherit(around, step), process);
    workflow = process;
  }
  return `there is no step '${path}'`;
}

function singleStep(plan: Plan, { step, workflow, around }: Found): Workflow | string {
  const process = plan.processes[step.run];
  const foreign = step.loop?.flatMap((input) => input.link?.sources ?? []).find((source) => source.step !== step.name);
  if (foreign !== undefined) return `step '${step.name}' cannot be run alone: its loop takes '${portOf(foreign)}', which is not its own`;
  return {
    ...workflow,
    requirements: around.requirements,
    hints: around.hints,
    inputs: step.in.map((input) => inputOf(input, step, process)),
    outputs: step.out.map((name) => ({ name, type: ANYTHING, link: linkTo({ step: step.name, port: name }) })),
    steps: [{ ...step, in: step.in.map((input) => ({ ...input, link: linkTo({ step: null, port: input.name }) })) }],
  };
}

/** What the step asks for in place of what its workflow gave it. */
function inputOf(input: StepInput, step: WorkflowStep, process: Process | undefined): InputParameter {
  const { name } = input;
  const parameter = process?.inputs.find((one) => one.name === name);
  const shared = input.default === undefined ? { name } : { name, default: input.default };
  // What an expression makes of it, and whether it looks at it at all, nobody knows.
  if (parameter === undefined || input.valueFrom !== undefined) return { ...shared, type: ANYTHING };
  const { type, secondaryFiles, format } = parameter;
  const own: CwlType = step.scatter.includes(name) ? { type: 'array', items: type } : type;
  const mayLack = parameter.default !== undefined && !step.scatter.includes(name);
  return {
    ...shared,
    type: mayLack ? (['null', own].flat() as CwlType) : own,
    ...(secondaryFiles !== undefined && { secondaryFiles }),
    ...(format !== undefined && { format }),
  };
}

function singleProcess(plan: Plan, { step, around }: Found): Plan | string {
  const process = plan.processes[step.run];
  if (process === undefined) return `there is no process '${step.run}'`;
  const { requirements, hints } = inherit(inherit(around, step), process);
  return withRoot({ ...plan, root: step.run }, process, { ...process, requirements, hints });
}

/** The plan with another root, and what that runs. */
function withRoot(plan: Plan, old: Process, root: Process | string): Plan | string {
  if (typeof root === 'string') return root;
  const processes: Record<string, Process> = { [plan.root]: { ...root, id: old.id } };
  const open = [root];
  for (let process = open.pop(); process !== undefined; process = open.pop()) {
    for (const { run } of process.class === 'Workflow' ? process.steps : []) {
      const next = plan.processes[run];
      if (next === undefined || processes[run] !== undefined) continue;
      processes[run] = next;
      open.push(next);
    }
  }
  return { ...plan, processes };
}

const linkTo = (source: SourceRef): Link => ({ sources: [source], list: false, linkMerge: 'merge_nested' });
const portOf = ({ step, port }: SourceRef): string => (step === null ? port : `${step}/${port}`);

/** One level of a workflow as a graph of inputs, steps and outputs; what is selected takes time in proportion to it. */
class Targets {
  private readonly steps: ReadonlyMap<string, WorkflowStep>;
  private readonly chosen = new Set<string>();
  private readonly outputs = new Set<string>();
  private readonly made = new Map<string, InputParameter>();

  constructor(
    private readonly workflow: Workflow,
    private readonly plan: Plan,
  ) {
    this.steps = new Map(workflow.steps.map((step) => [step.name, step]));
  }

  select(targets: readonly string[]): Workflow | string {
    const asked = new Set(targets);
    for (const target of asked) {
      const problem = this.take(target);
      if (problem !== undefined) return problem;
    }
    const { workflow } = this;
    const steps = workflow.steps.filter(({ name }) => this.chosen.has(name)).map((step) => this.rewiredStep(step));
    const outputs = workflow.outputs.filter(({ name }) => this.outputs.has(name)).map((output) => this.rewired(output));
    const taken = workflow.inputs.find(({ name }) => this.made.has(name));
    if (taken !== undefined) return `'${taken.name}' is an input, and would be what a step that is left out gives, too`;
    const used = new Set([...steps.flatMap(sourcesOf), ...outputs.flatMap(({ link }) => link.sources)].map(portOf));
    const inputs = workflow.inputs.filter(({ name }) => used.has(name) || asked.has(name));
    return { ...workflow, inputs: [...inputs, ...this.made.values()], outputs, steps };
  }

  private take(target: string): string | undefined {
    const { inputs, outputs } = this.workflow;
    const output = outputs.find(({ name }) => name === target);
    const [, step = '', port = ''] = /^(.*)\/([^/]*)$/.exec(target) ?? [];
    if (output !== undefined) {
      this.outputs.add(target);
      this.addNeeded(output.link.sources);
    } else if (this.steps.has(target)) {
      this.addFollowing((source) => source.step === target, [target]);
    } else if (inputs.some(({ name }) => name === target) || this.steps.get(step)?.out.includes(port)) {
      this.addFollowing((source) => portOf(source) === target, []);
    } else {
      const all = [...outputs, ...this.steps.values(), ...inputs].map(({ name }) => name);
      return `there is no target '${target}': ${didYouMean(target, all) ?? `there are ${namesOf(all, 20)}`}`;
    }
    return undefined;
  }

  private addNeeded(sources: readonly SourceRef[]): void {
    const open = [...sources];
    for (let source = open.pop(); source !== undefined; source = open.pop()) {
      const step = source.step === null ? undefined : this.steps.get(source.step);
      if (step === undefined || this.chosen.has(step.name)) continue;
      this.chosen.add(step.name);
      for (const needed of sourcesOf(step)) open.push(needed);
    }
  }

  private addFollowing(begins: (source: SourceRef) => boolean, first: readonly string[]): void {
    const followers = new Map<string, string[]>();
    const open = [...first];
    for (const step of this.steps.values()) {
      for (const source of sourcesOf(step)) {
        if (begins(source)) open.push(step.name);
        if (source.step !== null) pushTo(followers, source.step, step.name);
      }
    }
    const reached = new Set<string>();
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (reached.has(name)) continue;
      reached.add(name);
      for (const next of followers.get(name) ?? []) open.push(next);
    }
    for (const name of reached) this.chosen.add(name);
    for (const { name, link } of this.workflow.outputs)
      if (link.sources.some((source) => begins(source) || (source.step !== null && reached.has(source.step)))) this.outputs.add(name);
  }

  private rewiredStep(step: WorkflowStep): WorkflowStep {
    const rewired = { ...step, in: step.in.map((input) => this.rewired(input)) };
    return step.loop === undefined ? rewired : { ...rewired, loop: step.loop.map((input) => this.rewired(input)) };
  }

  private rewired<T extends { link?: Link }>(part: T): T {
    if (part.link === undefined) return part;
    return { ...part, link: { ...part.link, sources: part.link.sources.map((source) => this.reachable(source)) } };
  }

  private reachable(source: SourceRef): SourceRef {
    if (source.step === null || this.chosen.has(source.step)) return source;
    const name = `${source.step}_${source.port}`;
    this.made.set(name, { name, type: this.givenBy(this.steps.get(source.step), source.port) });
    return { step: null, port: name };
  }

  /** What a step that is left out would have given. */
  private givenBy(step: WorkflowStep | undefined, port: string): CwlType {
    const plain = step !== undefined && step.scatter.length === 0 && step.when === undefined && step.loop === undefined;
    const output = plain ? this.plan.processes[step.run]?.outputs.find(({ name }) => name === port) : undefined;
    return output?.type ?? (step?.when === undefined ? 'Any' : ANYTHING);
  }
}

function sourcesOf({ in: inputs, loop = [] }: WorkflowStep): SourceRef[] {
  return [...inputs, ...loop].flatMap(({ link }) => link?.sources ?? []);
}

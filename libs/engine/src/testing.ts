/**
 * For the engine's own tests: small plans, and a driver that answers commands in any order a test (or a property) wants.
 */
import type { CommandLineTool, CwlObject, CwlValue, Link, LinkMerge, PickValue, Plan, Process, Workflow, WorkflowStep } from '@weft/plan';
import {
  type Command,
  CURRENT_RULES,
  decide,
  type EngineEvent,
  type EngineRules,
  initialState,
  type RunOptions,
  type RunState,
} from './index.js';

const ORIGIN = { requirements: [], hints: [], declaredVersion: 'v1.2' };

/** "x" an input, "step/port" an output; several sources make a list. */
export function link(source: string | string[], merge: LinkMerge = 'merge_nested', pickValue?: PickValue): Link {
  const sources = (Array.isArray(source) ? source : [source]).map((text) => {
    const [first = '', second] = text.split('/');
    return second === undefined ? { step: null, port: first } : { step: first, port: second };
  });
  return { sources, list: Array.isArray(source), linkMerge: merge, ...(pickValue ? { pickValue } : {}) };
}

export function tool(id: string, inputs: string[], outputs: string[] = ['out'], more: Partial<CommandLineTool> = {}): CommandLineTool {
  return {
    ...ORIGIN,
    class: 'CommandLineTool',
    id,
    inputs: inputs.map((name) => ({ name, type: 'Any' })),
    outputs: outputs.map((name) => ({ name, type: 'Any' })),
    baseCommand: [id],
    arguments: [],
    successCodes: [0],
    temporaryFailCodes: [],
    permanentFailCodes: [],
    ...more,
  };
}

type StepDraft = Partial<Omit<WorkflowStep, 'in'>> & {
  run: string;
  in?: Record<string, string | string[] | Partial<WorkflowStep['in'][number]>>;
};

export function workflow(id: string, inputs: string[], outputs: Record<string, string | Link>, steps: Record<string, StepDraft>): Workflow {
  return {
    ...ORIGIN,
    class: 'Workflow',
    id,
    inputs: inputs.map((name) => ({ name, type: 'Any' })),
    outputs: Object.entries(outputs).map(([name, from]) => ({ name, type: 'Any', link: typeof from === 'string' ? link(from) : from })),
    steps: Object.entries(steps).map(([name, draft]) => ({
      requirements: [],
      hints: [],
      out: ['out'],
      scatter: [],
      ...draft,
      name,
      in: Object.entries(draft.in ?? {}).map(([port, from]) =>
        typeof from === 'string' || Array.isArray(from) ? { name: port, link: link(from) } : { name: port, ...from },
      ),
    })),
  };
}

export function plan(root: string, ...processes: Process[]): Plan {
  return { planVersion: 1, cwlVersion: 'v1.2', root, processes: Object.fromEntries(processes.map((process) => [process.id, process])) };
}

export const ACCEPTED: Extract<EngineEvent, { type: 'RunAccepted' }> = {
  type: 'RunAccepted',
  runId: 'r',
  planHash: 'h',
  inputs: {},
  options: { noContainer: false, maxAttempts: 3 },
};

/** How a test's tools and expressions behave. */
export interface World {
  /** Outputs of a tool, by process id; the default gives `out`: "<id>(<inputs>)". */
  run?(process: string, inputs: CwlObject): CwlObject;
  /** Step bindings; the default passes values on and runs unless an input `when` is false. */
  bind?(step: string, values: CwlObject): { inputs: CwlObject; run: boolean };
}

export class Driver {
  readonly state: RunState;
  readonly events: EngineEvent[] = [];
  readonly commands: Command[] = [];
  /** Commands whose answer is still due. */
  open: Command[] = [];
  ignored: string[] = [];

  constructor(
    of: Plan,
    inputs: CwlObject,
    private readonly world: World = {},
    options: Partial<RunOptions> = {},
    rules: Partial<EngineRules> = {},
  ) {
    this.state = initialState(of);
    this.feed({ ...ACCEPTED, inputs, options: { ...ACCEPTED.options, ...options }, rules: { ...CURRENT_RULES, ...rules } });
  }

  feed(event: EngineEvent): void {
    this.events.push(event);
    const decision = decide(this.state, event, this.events.length);
    if (decision.ignored !== undefined) this.ignored.push(decision.ignored);
    for (const command of decision.commands) {
      this.commands.push(command);
      if (command.type !== 'EndRun' && command.type !== 'CancelTasks') this.open.push(command);
    }
  }

  /** Answers the open command that `pick` chooses, until none is left. */
  finish(pick: (open: number) => number = () => 0): CwlObject | undefined {
    while (this.open.length > 0) {
      const [command] = this.open.splice(pick(this.open.length), 1);
      if (command) this.feed(this.answer(command));
    }
    return this.state.outputs;
  }

  answer(command: Command): EngineEvent {
    if (command.type === 'EvaluateBindings') {
      const bind = this.world.bind ?? ((_: string, values: CwlObject) => ({ inputs: values, run: values['when'] !== false }));
      const shards = command.shards.map(({ index, values }) => ({ index, ...bind(command.step, values) }));
      return { type: 'BindingsEvaluated', node: command.node, iteration: command.iteration, shards };
    }
    if (command.type !== 'RunTask' && command.type !== 'EvaluateExpressionTool') throw new Error(`${command.type} has no answer`);
    const run = this.world.run ?? ((process: string, inputs: CwlObject) => ({ out: `${process}(${show(inputs)})` }));
    return { type: 'TaskSucceeded', taskId: command.taskId, attempt: command.attempt, outputs: run(command.process, command.inputs) };
  }

  ends(): Extract<Command, { type: 'EndRun' }>[] {
    return this.commands.filter((command) => command.type === 'EndRun');
  }
}

function show(inputs: CwlObject): string {
  return Object.values(inputs)
    .map((value: CwlValue | undefined) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join(',');
}

/**
 * Small random workflows for the simulation: chains, scatters, subworkflows, `when`, loops, expression tools, tools that write files, that
 * fail for good, that fail once, and that fail until their run is retried.
 */
import type { CwlObject, ExpressionTool, Link, Plan, Process, Workflow, WorkflowStep } from '@weft/plan';
import type { SeededRandom } from '@weft/testing';
import { commandLineTool } from './tools.js';

const COMMON = { requirements: [], hints: [], declaredVersion: 'v1.2' };

export interface SimulatedWorkflow {
  plan: Plan;
  inputs: CwlObject;
}

export function randomWorkflow(random: SeededRandom): SimulatedWorkflow {
  const draft = new Draft(random);
  const root = draft.workflow(0);
  const inputs = { x: 'x', yes: true, no: false, list: ['a', 'b', 'c'].slice(0, random.chance(0.1) ? 0 : random.int(1, 3)) };
  return { plan: { planVersion: 1, cwlVersion: 'v1.2', root: root.id, processes: draft.processes }, inputs };
}

const STEP_KINDS = ['tool', 'tool', 'tool', 'scatter', 'scatter', 'when', 'loop', 'nested', 'expression', 'bound', 'throws'] as const;

/** See tools.ts. */
const TOOLS = [...'aaaaaaabbbbbbbbccccc', 'flaky', 'flaky', 'flaky', 'breaks', 'fails'];

class Draft {
  readonly processes: Record<string, Process> = {};
  private workflows = 0;

  constructor(private readonly random: SeededRandom) {}

  workflow(depth: number): Workflow {
    const id = `w${this.workflows++}`;
    const steps: WorkflowStep[] = [];
    const wanted = this.random.int(1, depth === 0 ? 4 : 2);
    for (let n = 0; n < wanted; n++) steps.push(this.step(`s${n}`, steps, depth));
    const workflow: Workflow = {
      ...COMMON,
      class: 'Workflow',
      id,
      inputs: ['x', 'yes', 'no', 'list'].map((name) => ({ name, type: 'Any' })),
      outputs: steps.map(({ name }) => ({ name, type: 'Any', link: from(`${name}/out`) })),
      steps,
    };
    if (depth > 0) workflow.outputs.push({ name: 'out', type: 'Any', link: from(`${steps.at(-1)?.name ?? ''}/out`) });
    this.processes[id] = workflow;
    return workflow;
  }

  private step(name: string, before: WorkflowStep[], depth: number): WorkflowStep {
    const kind = this.random.pick(STEP_KINDS);
    const source = before.length > 0 && this.random.chance(0.7) ? `${this.random.pick(before).name}/out` : 'x';
    const step: WorkflowStep = {
      ...{ name, run: this.tool(), out: ['out'], scatter: [], requirements: [], hints: [] },
      in: [{ name: 'x', link: from(source) }],
    };
    switch (kind) {
      case 'tool':
        return step;
      case 'scatter':
        return {
          ...step,
          scatter: ['x'],
          in: [
            { name: 'x', link: from('list') },
            { name: 'after', link: from(source) },
          ],
        };
      case 'when':
        step.in.push({ name: 'flag', link: from(this.random.pick(['yes', 'yes', 'no'])) });
        return { ...step, when: '$(inputs.flag)' };
      case 'loop':
        return this.loop(step);
      case 'nested':
        return depth < 2 ? this.nested(step, source, depth) : step;
      case 'expression':
        return { ...step, run: this.expression() };
      case 'bound':
        return { ...step, in: [{ name: 'x', link: from(source), valueFrom: '$(self)!' }] };
      case 'throws':
        return this.random.chance(0.25) ? { ...step, in: [{ name: 'x', link: from(source), valueFrom: '$(throws)' }] } : step;
    }
  }

  private loop(step: WorkflowStep): WorkflowStep {
    step.in.push({ name: 'i', default: this.random.int(0, 2) });
    const outputMethod = this.random.pick(['last_iteration', 'all_iterations'] as const);
    return { ...step, when: '$(inputs.i < 2)', loop: [{ name: 'i', valueFrom: '$(inputs.i + 1)' }], outputMethod };
  }

  private nested(step: WorkflowStep, source: string, depth: number): WorkflowStep {
    const scattered = this.random.chance(0.3);
    const inputs = ['yes', 'no', 'list'].map((name) => ({ name, link: from(name) }));
    return {
      ...step,
      run: this.workflow(depth + 1).id,
      scatter: scattered ? ['x'] : [],
      in: [{ name: 'x', link: from(scattered ? 'list' : source) }, ...inputs],
    };
  }

  private tool(): string {
    const id = this.random.pick(TOOLS);
    this.processes[id] ??= commandLineTool(id);
    return id;
  }

  private expression(): string {
    const tool: ExpressionTool = {
      ...COMMON,
      class: 'ExpressionTool',
      id: 'js',
      inputs: [{ name: 'x', type: ['null', 'Any'] }],
      outputs: [{ name: 'out', type: 'Any' }],
      expression: '$({out: inputs})',
    };
    this.processes['js'] ??= tool;
    return 'js';
  }
}

function from(text: string): Link {
  const [first = '', port] = text.split('/');
  return { sources: [port === undefined ? { step: null, port: first } : { step: first, port }], list: false, linkMerge: 'merge_nested' };
}

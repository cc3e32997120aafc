/**
 * The picture of a plan in Graphviz's DOT language: steps with how they are run (scatter, when, loop), inputs, outputs, the links between
 * them, and workflows inside workflows as clusters. Pure.
 *
 * Invariants: node ids are paths of names, so that equal plans give equal pictures; whatever an author named something, it stays text.
 */
import type { Plan, Process, SourceRef, Workflow, WorkflowStep } from '@weft/plan';
import { typeToString } from '@weft/cwl';

/** A workflow that is used by many steps is drawn for each: beyond this, a picture helps nobody. */
const MAX_NODES = 20_000;

export class GraphTooLarge extends Error {
  constructor() {
    super(`the picture would have more than ${MAX_NODES} nodes`);
  }
}

const SHAPES: Readonly<Record<Process['class'], string>> = {
  CommandLineTool: 'shape=box, style="rounded,filled", fillcolor="#dbeafe"',
  ExpressionTool: 'shape=box, style="rounded,filled", fillcolor="#fef3c7"',
  Operation: 'shape=box, style="rounded,dashed"',
  Workflow: 'shape=box3d, style=filled, fillcolor="#e2e8f0"',
};
const INPUT = 'shape=box, style=filled, fillcolor="#dcfce7"';
const OUTPUT = 'shape=box, style=filled, fillcolor="#fce7f3"';

export function toDot(plan: Plan): string {
  return new DotWriter(plan).write();
}

class DotWriter {
  private readonly lines: string[] = [];
  private nodes = 0;

  constructor(private readonly plan: Plan) {}

  write(): string {
    const root = this.process(this.plan.root);
    this.line(0, 'digraph workflow {');
    this.line(1, 'graph [rankdir=TB, fontname="Helvetica", labeljust=l];');
    this.line(1, 'node [fontname="Helvetica", fontsize=11];');
    this.line(1, 'edge [color="#475569", fontname="Helvetica", fontsize=9];');
    if (root.class === 'Workflow') this.workflow(root, [], 1);
    else this.tool(root);
    this.line(0, '}');
    return `${this.lines.join('\n')}\n`;
  }

  private workflow(workflow: Workflow, path: string[], depth: number): void {
    this.ports(workflow.inputs, 'in', INPUT, path, depth);
    for (const step of workflow.steps) this.step(step, path, depth);
    this.ports(workflow.outputs, 'out', OUTPUT, path, depth);
    for (const step of workflow.steps) this.stepLinks(workflow, step, path, depth);
    for (const output of workflow.outputs) {
      for (const source of output.link.sources) this.edge(this.from(workflow, source, path), id([...path, 'out', output.name]), '', depth);
    }
  }

  /** A process that is no workflow: drawn between its inputs and outputs. */
  private tool(process: Process): void {
    const self = id(['step']);
    this.ports(process.inputs, 'in', INPUT, [], 1);
    this.node(self, nameOf(process.id), SHAPES[process.class], 1);
    this.ports(process.outputs, 'out', OUTPUT, [], 1);
    for (const { name } of process.inputs) this.edge(id(['in', name]), self, '', 1);
    for (const { name } of process.outputs) this.edge(self, id(['out', name]), '', 1);
  }

  private ports(
    ports: readonly Pick<Process['inputs'][number], 'name' | 'type'>[],
    side: string,
    look: string,
    path: string[],
    depth: number,
  ): void {
    for (const { name, type } of ports) this.node(id([...path, side, name]), `${name}\n${typeToString(type)}`, look, depth);
  }

  private step(step: WorkflowStep, path: string[], depth: number): void {
    const process = this.process(step.run);
    const here = [...path, 'step', step.name];
    const label = [step.label ?? step.name, ...marksOf(step)].join('\n');
    if (process.class !== 'Workflow') {
      this.node(id(here), label, `${SHAPES[process.class]}${emphasis(step)}`, depth);
      return;
    }
    this.line(depth, `subgraph ${quote(`cluster_${here.map(encodeURIComponent).join('/')}`)} {`);
    this.line(depth + 1, `label=${quote(label)}; style="rounded${step.when === undefined ? '' : ',dashed'}"; color="#64748b";`);
    this.workflow(process, here, depth + 1);
    if (process.inputs.length === 0 || process.outputs.length === 0) this.node(id(here), nameOf(process.id), 'shape=plaintext', depth + 1);
    this.line(depth, '}');
  }

  private stepLinks(workflow: Workflow, step: WorkflowStep, path: string[], depth: number): void {
    for (const input of step.in) {
      const look = step.scatter.includes(input.name) ? 'style=bold, label="scatter"' : '';
      for (const source of input.link?.sources ?? [])
        this.edge(this.from(workflow, source, path), this.into(step, input.name, path), look, depth);
    }
    for (const input of step.loop ?? []) {
      const look = `style=dashed, constraint=false, label=${quote(`loop: ${input.name}`)}`;
      for (const source of input.link?.sources ?? [])
        this.edge(this.from(workflow, source, path), this.into(step, input.name, path), look, depth);
    }
  }

  /** Where a link begins: an input, a step, or the output inside the cluster of a step. */
  private from(workflow: Workflow, { step, port }: SourceRef, path: string[]): string {
    if (step === null) return id([...path, 'in', port]);
    const here = [...path, 'step', step];
    const run = workflow.steps.find(({ name }) => name === step)?.run;
    return run !== undefined && this.process(run).class === 'Workflow' ? id([...here, 'out', port]) : id(here);
  }

  /** Where it ends. An input of the step that its process does not have serves expressions: it ends at the step. */
  private into(step: WorkflowStep, port: string, path: string[]): string {
    const here = [...path, 'step', step.name];
    const process = this.process(step.run);
    if (process.class !== 'Workflow') return id(here);
    const name = process.inputs.some((input) => input.name === port) ? port : process.inputs[0]?.name;
    return name === undefined ? id(here) : id([...here, 'in', name]);
  }

  private process(key: string): Process {
    const process = this.plan.processes[key];
    if (process === undefined) throw new Error(`the plan has no process ${key}`);
    return process;
  }

  private node(name: string, label: string, look: string, depth: number): void {
    this.nodes += 1;
    if (this.nodes > MAX_NODES) throw new GraphTooLarge();
    this.line(depth, `${name} [label=${quote(label)}, ${look}];`);
  }

  private edge(from: string, to: string, look: string, depth: number): void {
    this.line(depth, `${from} -> ${to}${look === '' ? '' : ` [${look}]`};`);
  }

  private line(depth: number, text: string): void {
    this.lines.push('  '.repeat(depth) + text);
  }
}

/** How a step is run, a line for each. */
function marksOf(step: WorkflowStep): string[] {
  const method = step.scatter.length > 1 ? ` (${step.scatterMethod ?? 'dotproduct'})` : '';
  return [
    ...(step.scatter.length > 0 ? [`scatter: ${step.scatter.join(', ')}${method}`] : []),
    ...(step.loop === undefined ? [] : [`loop: ${step.outputMethod ?? 'last_iteration'}`]),
    ...(step.when === undefined ? [] : [`${step.loop === undefined ? 'when' : 'while'}: ${shorten(step.when)}`]),
  ];
}

function emphasis(step: WorkflowStep): string {
  return step.scatter.length > 0 ? ', peripheries=2' : '';
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

/** The last part of a key such as `tools/echo.cwl#main`. */
function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** Parts are escaped: no two paths give one id. */
function id(path: string[]): string {
  return quote(path.map(encodeURIComponent).join('/'));
}

/** A DOT string; a line break is a centred line. */
function quote(text: string): string {
  return `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\r?\n/g, '\\n')}"`;
}

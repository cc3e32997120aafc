/**
 * What expressions and staging may do under the requirements in effect: JavaScript needs InlineJavascriptRequirement, an absolute
 * `entryname` a container that is required. Both are inherited from steps and workflows around a process (CWL v1.2 §5.2), so that a process
 * is looked at once per combination it can run under.
 *
 * Requirements of workflows and steps are not looked into: their expressions run in tools that may bring JavaScript themselves.
 */
import type { Process, Requirement } from '@weft/plan';
import { usesJavascript } from '../source/expressions.js';
import type { Origins } from '../build/context.js';
import { requirementClass, requirementItems } from '../check/requirement-shapes.js';
import { isFileObject } from '../check/rules.js';
import type { Reporter } from '../diagnostics.js';
import { INHERITED } from './check-features.js';
import type { Around } from './around.js';
import { field, isList, isMap, stringField, type MapNode, type Node, type Place, type ScalarNode } from '../source/node.js';

/** What is in effect around a process. */
interface Effect {
  javascript: boolean;
  container: boolean;
}

/** Fields whose text is evaluated. Elsewhere `$(` is text. */
const EVALUATED = new Set([
  ...['valueFrom', 'position', 'arguments', 'stdin', 'stdout', 'stderr', 'glob', 'outputEval', 'expression', 'when'],
  ...['secondaryFiles', 'pattern', 'required', 'format', 'listing', 'entry', 'entryname', 'envValue', 'envDef', 'loopWhen'],
  ...['coresMin', 'coresMax', 'ramMin', 'ramMax', 'tmpdirMin', 'tmpdirMax', 'outdirMin', 'outdirMax'],
  ...['timelimit', 'networkAccess', 'enableReuse', 'cudaDeviceCount', 'cudaDeviceCountMin', 'cudaDeviceCountMax'],
]);
/** Fields that hold the author's text, values, or processes of their own. */
const SKIPPED = new Set(['doc', 'label', 'default', 'run', 'steps', 'requirements', 'hints', 'expressionLib', '$namespaces', '$schemas']);

export function checkExpressions(
  root: string,
  processes: Readonly<Record<string, Process>>,
  origins: Origins,
  reporter: Reporter,
  around: Around,
): void {
  const seen = new Set<string>();
  const told = new Set<Process>();
  const first = extend({ javascript: false, container: false }, around.requirements, []);
  const severity = around.isPart ? 'warning' : 'error';
  const open: { key: string; around: Effect }[] = [{ key: root, around: first }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const process = Object.hasOwn(processes, next.key) ? processes[next.key] : undefined;
    const identity = `${next.around.javascript} ${next.around.container} ${next.key}`;
    if (process === undefined || seen.has(identity)) continue;
    seen.add(identity);
    const effect = extend(next.around, process.requirements, process.hints);
    const node = origins.node(process);
    if (node) new ProcessCheck(effect, process, told, reporter, severity).check(node);
    if (process.class !== 'Workflow') continue;
    for (const step of process.steps) {
      const inside = extend(effect, step.requirements, step.hints);
      // A step's own expressions run under its requirements and those of its workflow.
      const stepNode = origins.node(step);
      if (stepNode) new ProcessCheck(inside, process, told, reporter, severity).check(stepNode);
      open.push({ key: step.run, around: inside });
    }
  }
}

function extend(around: Effect, requirements: readonly Requirement[], hints: readonly Requirement[]): Effect {
  const has = (list: readonly Requirement[], name: Requirement['class']): boolean => list.some((r) => r.class === name);
  const javascript = around.javascript || has(requirements, 'InlineJavascriptRequirement') || has(hints, 'InlineJavascriptRequirement');
  const container = around.container || has(requirements, 'DockerRequirement');
  return { javascript, container };
}

class ProcessCheck {
  constructor(
    private readonly effect: Effect,
    private readonly process: Process,
    /** Processes that have been told that they lack JavaScript: they hear it once. */
    private readonly told: Set<Process>,
    private readonly reporter: Reporter,
    /** Of what is missing, and may be inherited. */
    private readonly severity: 'error' | 'warning',
  ) {}

  check(node: MapNode): void {
    if (!this.effect.javascript) this.fields(node);
    if (this.process.class !== 'CommandLineTool') return;
    for (const which of ['requirements', 'hints']) {
      for (const item of requirementItems(field(node, which))) {
        if (item.written === undefined || !isMap(item.node)) continue;
        const { name } = requirementClass(item.written, item.node.file.namespaces);
        if (name !== undefined && !this.effect.javascript) this.fields(item.node);
        if (name === 'InitialWorkDirRequirement' && !this.effect.container) this.entryNames(field(item.node, 'listing'));
      }
    }
  }

  private fields(node: MapNode): void {
    for (const { key, value } of node.entries.values()) {
      if (SKIPPED.has(key) || key.includes(':')) continue;
      this.value(value, EVALUATED.has(key));
    }
  }

  private value(node: Node, evaluated: boolean): void {
    if (node.kind === 'scalar') {
      if (evaluated) this.scalar(node);
    } else if (isList(node)) for (const item of node.items) this.value(item, evaluated);
    else if (!isFileObject(node)) this.map(node, evaluated);
  }

  /** `envDef` and the other identifier maps hold evaluated text under names that are the author's own. */
  private map(node: MapNode, evaluated: boolean): void {
    if (!evaluated) return this.fields(node);
    for (const { key, value } of node.entries.values()) {
      if (value.kind !== 'scalar' || !['prefix', 'itemSeparator', 'envName', 'class'].includes(key)) this.value(value, true);
    }
  }

  private scalar(node: ScalarNode): void {
    if (typeof node.value !== 'string' || this.told.has(this.process)) return;
    if (!usesJavascript(node.value, this.process.declaredVersion)) return;
    this.told.add(this.process);
    const message = `JavaScript needs 'InlineJavascriptRequirement'; without it only parameter references such as $(inputs.x.path) are read`;
    this.missing(node, message, `add it to the requirements of ${HOLDERS[this.process.class]}`);
  }

  private entryNames(listing: Node | undefined): void {
    for (const item of isList(listing) ? listing.items : listing ? [listing] : []) {
      const name = isMap(item) && !isFileObject(item) ? stringField(item, 'entryname') : undefined;
      const place = isMap(item) ? field(item, 'entryname') : undefined;
      if (name === undefined || place === undefined || !name.startsWith('/')) continue;
      const message = `'entryname' may only be absolute in a container: '${name}'`;
      this.missing(place, message, "add 'DockerRequirement' to the requirements (a hint is not enough)");
    }
  }

  private missing(place: Place, message: string, hint: string): void {
    const told = this.severity === 'warning' ? `${hint}, ${INHERITED}` : hint;
    this.reporter[this.severity](place, 'missing-requirement', message, told);
  }
}

const HOLDERS: Readonly<Record<Process['class'], string>> = {
  CommandLineTool: 'the tool',
  ExpressionTool: 'the tool',
  Operation: 'the operation',
  Workflow: 'the workflow',
};

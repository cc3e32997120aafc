/**
 * What decides a task's outputs, as one key: SHA-256 over canonical JSON.
 *
 * Invariants:
 *  1. In the key: the project; what is executed (argv, environment, streams, network, GPUs, and the content of the image or host programs;
 *     of a host process also the caller's PATH, because what it starts may start others, and umask, which its outputs show);
 *     every staged input by path and content; what makes outputs of what the tool leaves (output bindings, exit codes, load listing,
 *     expression library), and the input object and `runtime` where an expression among those may look at them.
 *  2. Not in it: names, labels, docs and positions in the document, run, step and task, where inputs lie, reservations and time limits.
 *  3. The sandbox of a host process differs from task to task. Where it stands in a string, a control character takes its place, which no
 *     JSON text has: nobody can write a string that is taken for it. What an expression made of its parts gives a key of its own, never a
 *     wrong one.
 */
import { createHash } from 'node:crypto';
import { executor } from '@weft/contracts';
import type { CommandLineTool, CwlObject, CwlValue, EffectiveRequirements } from '@weft/plan';
import { canonicalJson, find, inherit, isFileOrDirectory, isObject } from '@weft/plan';
import { needsEvaluation } from '@weft/expressions';
import type { BoundTask, TaskRequest } from '@weft/tasks';

/** Changes with the meaning of the key's parts, so that no result is found by what an older weft meant. */
const FORMAT = 1;
const SANDBOX = '\0';
/** Ways of JavaScript to reach a name without writing it. */
const INDIRECT = /\b(?:eval|Function|constructor|globalThis|this|arguments|with)\b|\\u|\\x/;
/** Fields of Files that say where and how they lie rather than what they are. */
const CIRCUMSTANTIAL = ['location', 'dirname', 'checksum', 'size'];

/** What stands for the bytes at a URI; undefined where nothing does, so that results that depend on them cannot be found again. */
export interface ContentIds {
  of(uri: string, kind: 'file' | 'directory'): Promise<string | undefined>;
}

export interface Call {
  projectId: string;
  request: Pick<TaskRequest, 'tool' | 'effective'>;
  bound: Pick<BoundTask, 'inputs' | 'runtime'> & { spec: executor.TaskSpec };
  /** Directory that is the task's alone, as the task sees it; absent in a container, whose paths are the same for every task. */
  sandbox?: string;
  /** Content ids of what it runs in: the image, or the programs and files of the host that the command line names. */
  programs: Record<string, string>;
}

/** 64 hex digits; undefined where something that decides the outputs cannot be identified. */
export async function callKey(call: Call, contents: ContentIds): Promise<string | undefined> {
  const inputs = await stagedInputs(call.bound.spec.inputs, contents);
  if (inputs === undefined) return undefined;
  const { spec } = call.bound;
  const text = canonicalJson({
    format: FORMAT,
    project: call.projectId,
    programs: call.programs,
    argv: spec.argv,
    environment: spec.environment,
    ...(spec.searchPath === '' ? {} : { searchPath: spec.searchPath }),
    ...(spec.umask === undefined ? {} : { umask: spec.umask }),
    directories: [spec.workDir, spec.tmpDir],
    streams: [spec.stdinPath, spec.stdoutPath, spec.stderrPath],
    network: spec.network,
    gpus: spec.resources?.gpus ?? 0,
    inputs,
    outputs: outputRules(call),
  });
  const sandbox = call.sandbox === undefined ? undefined : JSON.stringify(call.sandbox).slice(1, -1);
  return createHash('sha256')
    .update(sandbox === undefined ? text : text.replaceAll(sandbox, SANDBOX))
    .digest('hex');
}

async function stagedInputs(inputs: readonly executor.Input[], contents: ContentIds): Promise<CwlValue[] | undefined> {
  const described = await Promise.all(
    inputs.map(async ({ path, kind, source, writable }): Promise<CwlValue[] | undefined> => {
      if (source?.$case !== 'uri') return [path, kind, writable, 'text', source?.value ?? null];
      const content = await contents.of(source.value, kind === executor.InputKind.DIRECTORY ? 'directory' : 'file');
      return content === undefined ? undefined : [path, kind, writable, 'content', content];
    }),
  );
  const known = described.filter((one) => one !== undefined);
  return known.length < described.length ? undefined : known.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

function outputRules({ request, bound }: Call): CwlObject {
  const { tool } = request;
  const effective = inherit(request.effective, tool);
  const rules = toolRules(tool);
  const library = rules.expressions === '' ? [] : (find(effective, 'InlineJavascriptRequirement')?.value.expressionLib ?? []);
  const seen = [rules.expressions, ...library].join('\n');
  return {
    rules: rules.text,
    library,
    listing: find(effective, 'LoadListingRequirement')?.value.loadListing,
    ...(maySee(seen, 'inputs') ? { inputs: observed(bound.inputs, seen) } : {}),
    ...(maySee(seen, 'runtime') ? { runtime: bound.runtime } : {}),
  };
}

interface ToolRules {
  text: string;
  /** Every expression among the rules. */
  expressions: string;
}

/** A tool never changes: once per tool, not once per task of a scatter. */
const known = new WeakMap<CommandLineTool, ToolRules>();

function toolRules(tool: CommandLineTool): ToolRules {
  const rules = known.get(tool) ?? describeTool(tool);
  known.set(tool, rules);
  return rules;
}

function describeTool(tool: CommandLineTool): ToolRules {
  const outputs = Object.fromEntries(tool.outputs.map((output) => [output.name, withoutNames(output)]));
  const text = canonicalJson({
    outputs,
    codes: [tool.successCodes, tool.temporaryFailCodes, tool.permanentFailCodes],
    version: tool.declaredVersion,
  });
  const expressions: string[] = [];
  gatherExpressions(outputs, expressions);
  return { text, expressions: expressions.join('\n') };
}

/** A part of an output without what is there for people, and without names of types. */
function withoutNames(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withoutNames);
  if (typeof part !== 'object' || part === null) return part;
  const isType = 'type' in part && ['record', 'enum', 'array'].includes(String(part.type));
  const kept = Object.entries(part).filter(
    ([key]) => key !== 'label' && key !== 'doc' && !(key === 'name' && isType && !('outputBinding' in part)),
  );
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutNames(member)]));
}

function gatherExpressions(part: unknown, into: string[]): void {
  if (typeof part === 'string') {
    if (needsEvaluation(part)) into.push(part);
  } else if (typeof part === 'object' && part !== null) {
    for (const member of Object.values(part)) gatherExpressions(member, into);
  }
}

function maySee(expressions: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(expressions) || INDIRECT.test(expressions);
}

/** The input object as the expressions may see it: staged files are told apart by their paths. */
function observed(inputs: CwlObject, expressions: string): CwlValue {
  const whole = /\bJSON\b/.test(expressions);
  const dropped = CIRCUMSTANTIAL.filter((field) => !whole && !maySee(expressions, field));
  const reduce = (value: CwlValue): CwlValue => {
    if (Array.isArray(value)) return value.map(reduce);
    if (!isObject(value)) return value;
    const isEntry = isFileOrDirectory(value);
    const kept = Object.entries(value).filter(([key, member]) => member !== undefined && !(isEntry && dropped.includes(key)));
    return Object.fromEntries(kept.map(([key, member]) => [key, reduce(member ?? null)]));
  };
  return reduce(inputs);
}

/** Whether results of this tool may be used again as far as its requirements say; `enableReuse` itself may be an expression. */
export function changesItsInputs(request: Pick<TaskRequest, 'tool' | 'effective'>): boolean {
  const effective: EffectiveRequirements = inherit(request.effective, request.tool);
  return find(effective, 'InplaceUpdateRequirement')?.value.inplaceUpdate ?? false;
}

/**
 * CommandLineTool, ExpressionTool and Operation. Writes out the `stdin`, `stdout` and `stderr` shortcuts (CWL v1.2 CommandLineTool §5.1.1, §5.3).
 */
import {
  canonicalJson,
  type CommandLineTool,
  type ExpressionTool,
  type InputBinding,
  type Operation,
  type OutputParameter,
  type ProcessBase,
} from '@weft/plan';
import { sha256 } from '../plan-hash.js';
import { field, isMap, itemsOf, numberOf, stringField, stringOf, stringsOf, type MapNode, type Node } from '../source/node.js';
import { namedMaps } from '../source/id-map.js';
import { bindingOf } from './bindings.js';
import { defined, type BuildContext } from './context.js';
import { outputParameter, stdinInput, toolOutputs } from './parameters.js';
import { parameterType } from './types.js';

export function expressionTool(node: MapNode, head: ProcessBase, context: BuildContext): ExpressionTool {
  return {
    ...head,
    class: 'ExpressionTool',
    outputs: toolOutputs(field(node, 'outputs'), context),
    expression: stringField(node, 'expression') ?? '',
  };
}

export function operation(node: MapNode, head: ProcessBase, context: BuildContext): Operation {
  return { ...head, class: 'Operation', outputs: toolOutputs(field(node, 'outputs'), context) };
}

export function commandLineTool(node: MapNode, head: ProcessBase, context: BuildContext): CommandLineTool {
  const stdin = stdinInput(field(node, 'inputs'));
  const tool: CommandLineTool = defined({
    ...head,
    class: 'CommandLineTool',
    outputs: [],
    baseCommand: stringsOf(field(node, 'baseCommand')),
    arguments: itemsOf(field(node, 'arguments')).flatMap(argument),
    stdin: stringField(node, 'stdin') ?? (stdin === undefined ? undefined : `$(inputs[${JSON.stringify(stdin)}].path)`),
    stdout: stringField(node, 'stdout'),
    stderr: stringField(node, 'stderr'),
    successCodes: codes(field(node, 'successCodes')),
    temporaryFailCodes: codes(field(node, 'temporaryFailCodes')),
    permanentFailCodes: codes(field(node, 'permanentFailCodes')),
  });
  nameStreams(tool, field(node, 'outputs'));
  tool.outputs = outputs(tool, field(node, 'outputs'), context);
  return tool;
}

function argument(node: Node): (string | InputBinding)[] {
  if (isMap(node)) return [bindingOf(node)];
  const text = stringOf(node);
  return text === undefined ? [] : [text];
}

const codes = (node: Node | undefined): number[] => itemsOf(node).flatMap((item) => numberOf(item) ?? []);

/** Gives `stdout` and `stderr` a file name where an output asks for the stream and the tool names none: the same tool always gets the same name. */
function nameStreams(tool: CommandLineTool, written: Node | undefined): void {
  const asked = new Set(namedMaps(written, 'id', 'type').map(({ node }) => stringField(node, 'type')));
  const wanted = (['stdout', 'stderr'] as const).filter((stream) => asked.has(stream) && tool[stream] === undefined);
  if (wanted.length === 0) return;
  const { id: _id, at: _at, expressionsAt: _expressionsAt, ...rest } = tool;
  const unique = sha256(canonicalJson(rest)).slice(0, 32);
  for (const stream of wanted) tool[stream] = `${unique}.${stream}`;
}

function outputs(tool: CommandLineTool, written: Node | undefined, context: BuildContext): OutputParameter[] {
  return namedMaps(written, 'id', 'type').map(({ name, node }) => {
    const stream = stringField(node, 'type');
    if (stream !== 'stdout' && stream !== 'stderr') {
      return context.origins.setNode(outputParameter(name, node, parameterType(node, context), context), node);
    }
    const output = outputParameter(name, node, 'File', context);
    return context.origins.setNode({ ...output, streamable: true, outputBinding: { glob: tool[stream] } }, node);
  });
}

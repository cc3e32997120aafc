/** Inputs and outputs of processes. */
import type { InputParameter, OutputParameter } from '@weft/plan';
import { stringField, type MapNode, type Node } from '../source/node.js';
import { namedMaps } from '../source/id-map.js';
import { docOf, fileOptions, inputBinding, outputBinding } from './bindings.js';
import { defined, type BuildContext } from './context.js';
import { parameterType } from './types.js';
import { valueOf } from './values.js';

export function inputParameters(inputs: Node | undefined, context: BuildContext): InputParameter[] {
  return namedMaps(inputs, 'id', 'type').map(({ name, node }) => {
    const written = node.entries.get('default')?.value;
    const stdin = stringField(node, 'type') === 'stdin';
    const parameter: InputParameter = defined({
      name,
      type: stdin ? 'File' : parameterType(node, context),
      label: stringField(node, 'label'),
      doc: docOf(node),
      ...fileOptions(node, context.version),
      default: written === undefined ? undefined : valueOf(written),
      inputBinding: inputBinding(node),
    });
    if (stdin) parameter.streamable = true;
    return context.origins.setNode(parameter, node);
  });
}

/** The parts that outputs of tools and workflows have in common. `type` is given by the caller: tools have shortcuts. */
export function outputParameter(name: string, node: MapNode, type: OutputParameter['type'], context: BuildContext): OutputParameter {
  return defined({
    name,
    type,
    label: stringField(node, 'label'),
    doc: docOf(node),
    ...fileOptions(node, context.version),
    outputBinding: outputBinding(node),
  });
}

export function toolOutputs(outputs: Node | undefined, context: BuildContext): OutputParameter[] {
  return namedMaps(outputs, 'id', 'type').map(({ name, node }) =>
    context.origins.setNode(outputParameter(name, node, parameterType(node, context), context), node),
  );
}

/** `stdin` input of a tool, if it has one. */
export function stdinInput(inputs: Node | undefined): string | undefined {
  return namedMaps(inputs, 'id', 'type').find(({ node }) => stringField(node, 'type') === 'stdin')?.name;
}

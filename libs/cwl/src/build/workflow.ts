/** Workflows and their steps. Processes that steps run are built through `runProcess`. */
import type { LoopInput, StepInput, Workflow, WorkflowOutputParameter, WorkflowStep, ProcessBase } from '@weft/plan';
import { loopExtension } from '../check/requirement-shapes.js';
import { field, isMap, itemsOf, stringField, stringOf, stringsOf, type MapNode, type Node } from '../source/node.js';
import { namedMaps } from '../source/id-map.js';
import { fragmentOf, shortName } from '../source/uri.js';
import { docOf, loadListing } from './bindings.js';
import { defined, type BuildContext } from './context.js';
import { linkOf, sourceRef } from './links.js';
import { outputParameter } from './parameters.js';
import { originOf } from './origin.js';
import { requirementsOf } from './requirements.js';
import { parameterType } from './types.js';
import { valueOf } from './values.js';

/** Builds what `run` names or holds; answers its key, or undefined where that failed and was reported. */
export type RunProcess = (run: Node, stepName: string) => string | undefined;

export interface WorkflowPlace {
  fragment?: string;
  rootUri: string;
}

export function workflow(node: MapNode, head: ProcessBase, place: WorkflowPlace, context: BuildContext, runProcess: RunProcess): Workflow {
  const id = stringField(node, 'id');
  const within = id === undefined ? place.fragment : fragmentOf(id);
  const steps = namedMaps(field(node, 'steps'), 'id').map(({ name, node: step }) => {
    const built = defined({ ...workflowStep(name, step, within, context, runProcess), at: originOf(step, place.rootUri) });
    return context.origins.setNode(built, step);
  });
  const outputs = namedMaps(field(node, 'outputs'), 'id', 'type').map(({ name, node: output }): WorkflowOutputParameter => {
    const link = linkOf(output, 'outputSource', (text) => sourceRef(text, within), context);
    const parameter = outputParameter(name, output, parameterType(output, context), context);
    return context.origins.setNode({ ...parameter, link: link ?? { sources: [], list: false, linkMerge: 'merge_nested' } }, output);
  });
  return { ...head, class: 'Workflow', outputs, steps };
}

function workflowStep(
  name: string,
  node: MapNode,
  within: string | undefined,
  context: BuildContext,
  runProcess: RunProcess,
): WorkflowStep {
  const run = field(node, 'run');
  const loop = loopOf(node, name, context);
  const scatterMethod = stringField(node, 'scatterMethod');
  return defined({
    name,
    run: (run && runProcess(run, name)) ?? '',
    in: namedMaps(field(node, 'in'), 'id', 'source').map((item) => stepInput(item.name, item.node, within, context)),
    out: itemsOf(field(node, 'out')).flatMap((item) => {
      const text = stringOf(item) ?? (isMap(item) ? stringField(item, 'id') : undefined);
      return text === undefined ? [] : [shortName(text)];
    }),
    scatter: stringsOf(field(node, 'scatter')).map(shortName),
    scatterMethod:
      scatterMethod === 'dotproduct' || scatterMethod === 'nested_crossproduct' || scatterMethod === 'flat_crossproduct'
        ? scatterMethod
        : undefined,
    when: loop?.when ?? stringField(node, 'when'),
    loop: loop?.inputs,
    outputMethod: loop?.outputMethod,
    requirements: requirementsOf(field(node, 'requirements')),
    hints: requirementsOf(field(node, 'hints')),
    label: stringField(node, 'label'),
    doc: docOf(node),
  });
}

function stepInput(name: string, node: MapNode, within: string | undefined, context: BuildContext): StepInput {
  return context.origins.setNode(
    defined<StepInput>({ name, link: linkOf(node, 'source', (text) => sourceRef(text, within), context), ...inputRest(node) }),
    node,
  );
}

function inputRest(node: MapNode): Omit<StepInput, 'name' | 'link'> {
  const written = node.entries.get('default')?.value;
  const loadContents = field(node, 'loadContents');
  return {
    default: written === undefined ? undefined : valueOf(written),
    valueFrom: stringField(node, 'valueFrom'),
    loadContents: loadContents?.kind === 'scalar' && typeof loadContents.value === 'boolean' ? loadContents.value : undefined,
    loadListing: loadListing(node),
  };
}

interface Loop {
  when?: string;
  inputs: LoopInput[];
  outputMethod: 'last_iteration' | 'all_iterations';
}

/** v1.3's `loop`, or the `cwltool:Loop` that older documents have in its place. Its sources are outputs of the step itself. */
function loopOf(node: MapNode, step: string, context: BuildContext): Loop | undefined {
  const extension = loopExtension(node);
  const [written, sourceField, owner] = extension
    ? [field(extension, 'loop'), 'loopSource', extension]
    : [field(node, 'loop'), 'outputSource', node];
  if (written === undefined) return undefined;
  const inputs = namedMaps(written, 'id', sourceField).map(({ name, node: item }) => {
    const link = linkOf(item, sourceField, (text) => ({ step, port: shortName(text) }), context);
    return context.origins.setNode(defined<LoopInput>({ name, link, ...inputRest(item) }), item);
  });
  const method = stringField(owner, 'outputMethod');
  const outputMethod = method === 'all' || method === 'all_iterations' ? 'all_iterations' : 'last_iteration';
  return { when: extension ? stringField(extension, 'loopWhen') : undefined, inputs, outputMethod };
}

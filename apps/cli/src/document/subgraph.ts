/**
 * The part of a packed workflow that a selected plan stands for, as CWL: its steps, inputs and outputs with the sources of the plan.
 * Everything else stays as its author wrote it.
 */
import { isObject, type CwlObject, type CwlValue, type Link, type Workflow } from '@weft/plan';

/** @param packed as `packDocument` gives it @param root of the plan of the part */
export function subgraphOf(packed: CwlObject, root: Workflow): CwlObject {
  const graph = (packed['$graph'] as CwlObject[] | undefined) ?? [];
  const main = graph.find(({ id }) => id === '#main');
  if (main === undefined) throw new Error('the packed document has no main');
  const [inputs, outputs, steps] = [named(main['inputs']), named(main['outputs']), named(main['steps'])];
  const part: CwlObject = {
    ...main,
    inputs: root.inputs.map(({ name, type }) => ({ ...asMap(inputs.get(name) ?? (type as CwlValue), 'type'), id: name })),
    outputs: root.outputs.map(({ name, type, link }) => ({
      ...asMap(outputs.get(name) ?? (type as CwlValue), 'type'),
      id: name,
      outputSource: sourceOf(link),
    })),
    steps: root.steps.map((step) => {
      const written = asMap(steps.get(step.name) ?? {}, 'run');
      const given = named(written['in']);
      const bound = step.in.map(({ name, link }) => {
        const { source: _source, ...rest } = asMap(given.get(name) ?? {}, 'source');
        return { ...rest, id: name, ...(link && { source: sourceOf(link) }) };
      });
      return { ...written, id: step.name, in: bound };
    }),
  };
  return { ...packed, $graph: reachable(part, graph) };
}

function sourceOf({ sources, list }: Link): CwlValue {
  const written = sources.map(({ step, port }) => (step === null ? port : `${step}/${port}`));
  return list ? written : (written[0] ?? null);
}

/** The members of a list of things with an id, or of a map of them. */
function named(collection: CwlValue | undefined): Map<string, CwlValue> {
  if (Array.isArray(collection))
    return new Map(collection.flatMap((item) => (isObject(item) ? [[String(item['id']), item] as const] : [])));
  return new Map(isObject(collection) ? Object.entries(collection).map(([name, value]) => [name, value ?? null]) : []);
}

/** A value that stands for a map with one field. */
function asMap(value: CwlValue, field: string): CwlObject {
  return isObject(value) && !Array.isArray(value) && !('type' in value && field === 'type' && isType(value)) ? value : { [field]: value };
}

const isType = (value: CwlObject): boolean => ['array', 'record', 'enum'].includes(String(value['type']));

function reachable(part: CwlObject, graph: CwlObject[]): CwlObject[] {
  const byId = new Map(graph.map((item) => [item['id'], item]));
  byId.set(part['id'], part);
  const kept = new Set<CwlObject>([part]);
  const open: CwlValue[] = [part];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (Array.isArray(value)) for (const item of value) open.push(item);
    if (!isObject(value) || Array.isArray(value)) continue;
    const run = typeof value['run'] === 'string' ? byId.get(value['run']) : undefined;
    if (run !== undefined && !kept.has(run)) {
      kept.add(run);
      open.push(run);
    }
    for (const member of Object.values(value)) if (member !== undefined) open.push(member);
  }
  return [...kept];
}

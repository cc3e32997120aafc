/**
 * `cwltool:overrides`: requirements for processes and steps of a document, written beside it (in the job, or in a file of their own).
 * As with cwltool, whose README describes them: a target is relative to the document that is run, and a step inherits to what it runs.
 *
 * Invariants:
 *  1. An override that names nothing, or that changes nothing, is told: nobody gets another result than the one that was asked for.
 *  2. Of one target and class the last counts, and it counts above what the document says there.
 */
import type { Process, Requirement, WorkflowStep } from '@weft/plan';
import { checkShape, describe } from './check/validate.js';
import { effectiveItems, requirementList } from './check/requirement-shapes.js';
import type { Origins } from './build/context.js';
import { requirementsOf } from './build/requirements.js';
import { namesOf, type Reporter } from './diagnostics.js';
import { idMapItems } from './source/id-map.js';
import { didYouMean } from './source/nearest-name.js';
import { field, isList, isMap, isNull, stringField, type MapNode, type Node, type Place } from './source/node.js';
import { expandPrefix, fragmentOf, relativeUri, resolveUri, splitFragment } from './source/uri.js';

const OVERRIDES = 'http://commonwl.org/cwltool#overrides';
/** They declare or rewrite what other parts of the document were read with. */
const FIXED = new Set(['SchemaDefRequirement', 'Loop']);

/** Whether the key of a job (or of a file for `--overrides`) holds overrides. */
export function isOverridesKey(key: string, namespaces: Readonly<Record<string, string>>): boolean {
  return key === 'cwltool:overrides' || expandPrefix(key, namespaces) === OVERRIDES;
}

/** What holds overrides in a job, or in a file of their own. */
export function overridesIn(root: MapNode): Node[] {
  return [...root.entries.values()].flatMap(({ key, value }) => (isOverridesKey(key, root.file.namespaces) ? [value] : []));
}

interface Target {
  name: string;
  part: Process | WorkflowStep;
}

/** Changes the processes. `rootUri`: the document that is run, without its fragment. */
export function applyOverrides(
  overrides: readonly Node[],
  rootUri: string,
  { processes, origins }: { processes: Readonly<Record<string, Process>>; origins: Origins },
  reporter: Reporter,
): void {
  if (overrides.length === 0) return;
  const targets = targetsOf(processes, origins);
  for (const node of overrides) {
    for (const { written, place, requirements } of readOverrides(node, reporter)) {
      const target = find(written, place, rootUri, targets, reporter);
      if (target === undefined) continue;
      target.part.requirements = overlay(target.part.requirements, requirements);
      if ('run' in target.part) tellHidden(target.part, requirements, processes, place, reporter);
    }
  }
}

interface Override {
  written: string;
  place: Place;
  requirements: Requirement[];
}

function readOverrides(node: Node, reporter: Reporter): Override[] {
  if (!isMap(node) && !isList(node)) {
    reporter.error(node, 'wrong-type', `'cwltool:overrides' must map processes to their requirements, not be ${describe(node)}`);
    return [];
  }
  if (isList(node)) {
    for (const item of node.items)
      if (!isMap(item) || stringField(item, 'overrideTarget') === undefined)
        reporter.error(item, 'missing-field', "an item of 'cwltool:overrides' needs 'overrideTarget': the process or step that it is for");
  } else {
    for (const { value } of node.entries.values())
      if (!isMap(value) && !isNull(value))
        reporter.error(value, 'wrong-type', `an override must hold 'requirements', not be ${describe(value)}`);
  }
  return idMapItems(node, 'overrideTarget').flatMap(({ rawName, place, node: item }) => {
    if (rawName === undefined || !isMap(item)) return [];
    const requirements = requirementsIn(item, reporter);
    return requirements === undefined ? [] : [{ written: rawName, place, requirements }];
  });
}

function requirementsIn(item: MapNode, reporter: Reporter): Requirement[] | undefined {
  for (const { key, place } of item.entries.values())
    if (key !== 'requirements' && key !== 'overrideTarget')
      reporter.error(place, 'unknown-field', `an override has 'requirements' alone, not '${key}'`, didYouMean(key, ['requirements']));
  const node = field(item, 'requirements');
  if (node === undefined) {
    if (!item.entries.has('requirements')) reporter.error(item, 'missing-field', "an override needs 'requirements'");
    return undefined;
  }
  checkShape(node, requirementList('requirements'), { reporter, version: 'v1.3' }, "'requirements'");
  for (const { name, node: fixed } of effectiveItems(node))
    if (FIXED.has(name)) reporter.error(fixed, 'invalid-value', `'${name}' cannot be overridden: it says how the document is to be read`);
  return requirementsOf(node);
}

/** By file, and by what may be written behind its '#'; '' where a document is one process. */
type Targets = ReadonlyMap<string, ReadonlyMap<string, Target>>;

function targetsOf(processes: Readonly<Record<string, Process>>, origins: Origins): Targets {
  const files = new Map<string, Map<string, Target>>();
  const add = (file: string, fragment: string, part: Target['part']): void => {
    const known = files.get(file) ?? new Map<string, Target>();
    files.set(file, known);
    // The first is the process as it is keyed; another name of it never hides one.
    if (!known.has(fragment)) known.set(fragment, { name: fragment === '' ? file : `${file}#${fragment}`, part });
  };
  for (const [key, process] of Object.entries(processes)) {
    const { uri: file, fragment = '' } = splitFragment(key);
    const node = origins.node(process);
    const id = node && stringField(node, 'id');
    const names = [...new Set([fragment, ...(id === undefined || fragment !== '' ? [] : [fragmentOf(id)])])];
    for (const name of names) {
      add(file, name, process);
      if (process.class !== 'Workflow') continue;
      for (const step of process.steps) add(file, name === '' ? step.name : `${name}/${step.name}`, step);
    }
  }
  return files;
}

function find(written: string, place: Place, rootUri: string, targets: Targets, reporter: Reporter): Target | undefined {
  const { uri, fragment = '' } = splitFragment(addressOf(written, place, rootUri));
  const file = targets.get(relativeUri(uri, rootUri));
  const target = file?.get(fragment);
  if (target !== undefined) return target;
  const nearest = (): string => {
    const all = [...targets.values()].flatMap((parts) => [...parts.values()].map(({ name }) => name));
    return didYouMean(written, all) ?? `there are: ${namesOf(all, 20)}`;
  };
  const what = file === undefined ? 'no document that is run here' : 'no process or step';
  reporter.error(place, 'unknown-override-target', `the override for '${written}' is for ${what}, and would change nothing`, nearest);
  return undefined;
}

function addressOf(written: string, place: Place, rootUri: string): string {
  try {
    return resolveUri(expandPrefix(written, place.file.namespaces), rootUri);
  } catch {
    return written;
  }
}

function overlay(own: Requirement[], above: Requirement[]): Requirement[] {
  const named = new Set(above.map((requirement) => requirement.class));
  return [...own.filter((requirement) => !named.has(requirement.class)), ...above];
}

/** What a process requires itself counts above what its step says (CWL v1.2 §5.2). */
function tellHidden(
  step: WorkflowStep,
  requirements: Requirement[],
  processes: Readonly<Record<string, Process>>,
  place: Place,
  reporter: Reporter,
): void {
  const own = new Set(processes[step.run]?.requirements.map((requirement) => requirement.class));
  for (const requirement of requirements) {
    if (!own.has(requirement.class)) continue;
    const message = `the override of '${requirement.class}' for step '${step.name}' changes nothing: the process that it runs has its own`;
    reporter.warning(place, 'hidden-override', message, `override '${step.run}' instead`);
  }
}

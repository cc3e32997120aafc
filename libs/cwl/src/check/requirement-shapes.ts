/**
 * Tables: what each requirement may contain, since when it exists, and under which names it is known.
 * Source: CWL v1.2 §5.2 and following; cwltool's extensions (http://commonwl.org/cwltool#) for the names that became standard later.
 */
import { MAX_REQUIREMENTS } from '../limits.js';
import { field, isList, isMap, isNull, stringField, type MapNode, type Node, type Place } from '../source/node.js';
import { idMapItems } from '../source/id-map.js';
import { nearestName } from '../source/nearest-name.js';
import { expandPrefix } from '../source/uri.js';
import { isBefore, type Version } from '../source/version.js';
import {
  amount,
  any,
  boolean,
  booleanOrExpression,
  choice,
  idMap,
  list,
  oneOrMany,
  optional,
  record,
  required,
  seconds,
  string,
  union,
} from './shape.js';
import type { FieldShape, RecordShape, Shape } from './shape.js';
import { direntRules, isFileObject } from './rules.js';
import { dockerRules, resourceRules, shmSizeRules } from './requirement-rules.js';
import { checkRecord, checkShape, describe } from './validate.js';
import type { CheckContext } from './context.js';

const LISTING = choice('no_listing', 'shallow_listing', 'deep_listing');
const ENV_DEF: RecordShape = { says: 'an environment variable', fields: { envName: optional(string), envValue: required(string) } };

const DIRENT: RecordShape = {
  says: 'a Dirent',
  fields: { entry: required(string), entryname: optional(string), writable: optional(boolean) },
  also: direntRules,
};

const workDirItem: Shape = {
  kind: 'custom',
  says: 'an expression, a Dirent, a File or a Directory',
  check(node, context, what) {
    if (isNull(node) || isFileObject(node)) return;
    if (isList(node)) for (const item of node.items) checkShape(item, workDirItem, context, what);
    else if (isMap(node)) checkRecord(node, DIRENT, context);
    else checkShape(node, string, context, what);
  },
};

const amounts = ['coresMin', 'coresMax', 'ramMin', 'ramMax', 'tmpdirMin', 'tmpdirMax', 'outdirMin', 'outdirMax'];
const numberOrText: Shape = {
  kind: 'scalar',
  says: 'a number or an expression',
  accepts: (v) => typeof v === 'number' || typeof v === 'string',
};

interface RequirementShape {
  fields: Record<string, FieldShape>;
  since?: Version;
  also?: RecordShape['also'];
}

const SHAPES: Readonly<Record<string, RequirementShape>> = {
  InlineJavascriptRequirement: { fields: { expressionLib: optional(list(string)) } },
  SchemaDefRequirement: { fields: { types: required(any) } },
  DockerRequirement: {
    fields: Object.fromEntries(
      ['dockerPull', 'dockerLoad', 'dockerFile', 'dockerImport', 'dockerImageId', 'dockerOutputDirectory'].map((f) => [
        f,
        optional(string),
      ]),
    ),
    also: dockerRules,
  },
  SoftwareRequirement: {
    fields: {
      packages: required(
        idMap(
          {
            says: 'a software package',
            fields: { package: optional(string), version: optional(list(string)), specs: optional(list(string)) },
          },
          'package',
          'specs',
        ),
      ),
    },
  },
  InitialWorkDirRequirement: { fields: { listing: required(union(list(workDirItem), record(DIRENT), string)) } },
  EnvVarRequirement: { fields: { envDef: required(idMap(ENV_DEF, 'envName', 'envValue')) } },
  ShellCommandRequirement: { fields: {} },
  ResourceRequirement: { fields: Object.fromEntries(amounts.map((f) => [f, optional(amount)])), also: resourceRules },
  WorkReuse: { fields: { enableReuse: required(booleanOrExpression) }, since: 'v1.1' },
  NetworkAccess: { fields: { networkAccess: required(booleanOrExpression) }, since: 'v1.1' },
  InplaceUpdateRequirement: { fields: { inplaceUpdate: required(boolean) }, since: 'v1.1' },
  ToolTimeLimit: { fields: { timelimit: required(seconds) }, since: 'v1.1' },
  LoadListingRequirement: { fields: { loadListing: optional(LISTING) }, since: 'v1.1' },
  SubworkflowFeatureRequirement: { fields: {} },
  ScatterFeatureRequirement: { fields: {} },
  MultipleInputFeatureRequirement: { fields: {} },
  StepInputExpressionRequirement: { fields: {} },
  CUDARequirement: {
    fields: {
      cudaComputeCapability: optional(oneOrMany(string)),
      cudaDeviceCount: optional(numberOrText),
      cudaDeviceCountMin: optional(numberOrText),
      cudaDeviceCountMax: optional(numberOrText),
      cudaVersionMin: optional(string),
    },
  },
  SecretsRequirement: { fields: { secrets: required(list(string)) } },
  ShmSize: { fields: { shmSize: optional(string) }, also: shmSizeRules },
  Loop: {
    fields: {
      loopWhen: required(string),
      loop: required(
        idMap(
          {
            says: 'a loop input',
            fields: {
              id: optional(string),
              loopSource: optional(oneOrMany(string)),
              linkMerge: optional(choice('merge_nested', 'merge_flattened')),
              pickValue: optional(choice('first_non_null', 'the_only_non_null', 'all_non_null')),
              loadContents: optional(boolean),
              loadListing: optional(LISTING),
              default: optional(any),
              valueFrom: optional(string),
            },
          },
          'id',
          'loopSource',
        ),
      ),
      outputMethod: optional(choice('last', 'all', 'last_iteration', 'all_iterations')),
    },
  },
};

const CWL = /^(?:cwl:|https:\/\/w3id\.org\/cwl\/cwl#)/;
const CWLTOOL = /^(?:cwltool:|http:\/\/commonwl\.org\/cwltool#)/;
/** Names in cwltool's namespace → ours. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  LoadListingRequirement: 'LoadListingRequirement',
  InplaceUpdateRequirement: 'InplaceUpdateRequirement',
  TimeLimit: 'ToolTimeLimit',
  WorkReuse: 'WorkReuse',
  NetworkAccess: 'NetworkAccess',
  Secrets: 'SecretsRequirement',
  CUDARequirement: 'CUDARequirement',
  ShmSize: 'ShmSize',
  Loop: 'Loop',
};
/** Known only with their prefix. */
const PREFIXED = new Set(['CUDARequirement', 'SecretsRequirement', 'ShmSize', 'Loop']);
/** What cwltool has and we have not → what does it here. */
const INSTEAD: Readonly<Record<string, string>> = {
  MPIRequirement: "write mpirun into the command line, as in baseCommand: [mpirun, -n, '4', tool], and ask for the cores: coresMin",
};

export interface RequirementClassName {
  /** Ours, or undefined where we do not know it. */
  name?: string;
  /** Written with cwltool's prefix: valid in every version. */
  extension: boolean;
}

/** The class an author means by `cwl:X`, `cwltool:X`, a declared prefix, a full IRI or the plain name. */
export function requirementClass(written: string, namespaces: Readonly<Record<string, string>>): RequirementClassName {
  const iri = expandPrefix(written, namespaces);
  if (CWLTOOL.test(iri)) return { name: EXTENSIONS[iri.replace(CWLTOOL, '')], extension: true };
  const plain = iri.replace(CWL, '');
  return { name: Object.hasOwn(SHAPES, plain) && !PREFIXED.has(plain) ? plain : undefined, extension: false };
}

/** The items of `requirements` or `hints`, whichever form they have, each with the class as written. */
export function requirementItems(node: Node | undefined): { written?: string; place: Place; node: Node }[] {
  if (isList(node)) {
    return node.items.map((item) => ({
      written: isMap(item) ? stringField(item, 'class') : undefined,
      place: isMap(item) ? (item.entries.get('class')?.value ?? item) : item,
      node: item,
    }));
  }
  return idMapItems(node, 'class').map((item) => ({ written: item.rawName, place: item.place, node: item.node }));
}

/** Of items of one class the last counts, as with cwltool: published documents have two. */
export function effectiveItems(node: Node | undefined): { name: string; node: MapNode }[] {
  const byName = new Map<string, MapNode>();
  for (const item of requirementItems(node)) {
    if (item.written === undefined || !isMap(item.node)) continue;
    const { name } = requirementClass(item.written, item.node.file.namespaces);
    if (name !== undefined) byName.set(name, item.node);
  }
  return [...byName].map(([name, found]) => ({ name, node: found }));
}

/** The shape of `requirements` and of `hints`. Unknown requirements are errors, unknown hints notes. */
export function requirementList(which: 'requirements' | 'hints'): Shape {
  return {
    kind: 'custom',
    says: 'a mapping or a list',
    check(node, context) {
      if (!isMap(node) && !isList(node)) {
        context.reporter.error(node, 'wrong-type', `'${which}' must be a mapping or a list, not ${describe(node)}`);
        return;
      }
      const size = isMap(node) ? node.entries.size : node.items.length;
      if (size > MAX_REQUIREMENTS)
        return context.reporter.error(node, 'document-limit', `'${which}' has ${size} items; ${MAX_REQUIREMENTS} are allowed`);
      const seen = new Set<string>();
      for (const item of requirementItems(node)) checkItem(item, which, context, seen);
    },
  };
}

function checkItem(
  item: ReturnType<typeof requirementItems>[number],
  which: 'requirements' | 'hints',
  context: CheckContext,
  seen: Set<string>,
): void {
  const { reporter } = context;
  if (!isMap(item.node))
    return reporter.error(item.node, 'wrong-type', `an item of '${which}' must be a mapping, not ${describe(item.node)}`);
  if (item.written === undefined) return reporter.error(item.place, 'missing-field', `an item of '${which}' needs the field 'class'`);
  const { name, extension } = requirementClass(item.written, item.node.file.namespaces);
  const shape = name === undefined ? undefined : SHAPES[name];
  if (name === undefined || shape === undefined)
    return unknownClass({ written: item.written, node: item.node, place: item.place }, which, context);
  if (seen.has(name)) reporter.warning(item.place, 'duplicate-id', `'${which}' has two items of the class '${name}': the last counts`);
  seen.add(name);
  if (shape.since !== undefined && !extension && isBefore(context.version, shape.since)) {
    const message = `'${name}' needs CWL ${shape.since}; this document declares ${context.version}`;
    if (which === 'requirements') reporter.error(item.place, 'field-needs-newer-version', message);
    else reporter.note(item.place, 'unknown-hint', message);
    return;
  }
  const article = /^[AEIOU]/.test(name) ? 'an' : 'a';
  const says = `${article} ${name}`;
  const isHint = which === 'hints';
  checkRecord(item.node, { says, fields: { class: optional(string), ...shape.fields }, also: shape.also }, { ...context, isHint });
}

function unknownClass(
  item: { written: string; node: MapNode; place: Place },
  which: 'requirements' | 'hints',
  context: CheckContext,
): void {
  const { written, place } = item;
  const { namespaces } = item.node.file;
  const prefixed = written.includes(':');
  const instead = INSTEAD[expandPrefix(written, namespaces).replace(CWLTOOL, '')];
  const nearest = prefixed
    ? undefined
    : nearestName(
        written,
        Object.keys(SHAPES).filter((n) => !PREFIXED.has(n)),
      );
  const hint = nearest === undefined ? undefined : `did you mean '${nearest}'?`;
  if (which === 'hints') context.reporter.note(place, 'unknown-hint', `the hint '${written}' is not known here and is ignored`, hint);
  else if (nearest !== undefined) context.reporter.error(place, 'unknown-requirement', `there is no requirement '${written}'`, hint);
  else context.reporter.error(place, 'unsupported-requirement', `the requirement '${written}' is not supported`, instead);
}

/** The `cwltool:Loop` among a step's requirements or hints, for the upgrade to v1.3's `loop`. */
export function loopExtension(step: MapNode): MapNode | undefined {
  for (const which of ['requirements', 'hints']) {
    for (const item of requirementItems(field(step, which))) {
      if (item.written !== undefined && isMap(item.node) && requirementClass(item.written, item.node.file.namespaces).name === 'Loop')
        return item.node;
    }
  }
  return undefined;
}

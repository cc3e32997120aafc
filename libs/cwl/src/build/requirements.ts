/** `requirements` and `hints` → the plan's union. Unknown hints are dropped here; the tables have said so. */
import type { DockerRequirement, Dirent, LoadListing, Requirement, ResourceRequirement, WorkDirItem } from '@weft/plan';
import { effectiveItems } from '../check/requirement-shapes.js';
import { isFileObject } from '../check/rules.js';
import {
  booleanField,
  booleanOf,
  field,
  isList,
  isMap,
  isNull,
  stringField,
  stringOf,
  stringsOf,
  type MapNode,
  type Node,
} from '../source/node.js';
import { namedMaps } from '../source/id-map.js';
import { loadListing, numberOrString, stringOrStrings } from './bindings.js';
import { defined } from './context.js';
import { valueOf } from './values.js';

export function requirementsOf(node: Node | undefined): Requirement[] {
  return effectiveItems(node).flatMap((item) => {
    const requirement = READERS[item.name]?.(item.node);
    return requirement === undefined ? [] : [requirement];
  });
}

const booleanOrString = (node: Node | undefined): boolean | string | undefined => booleanOf(node) ?? stringOf(node);
const text = (node: MapNode, names: readonly string[]): Record<string, string | undefined> =>
  Object.fromEntries(names.map((name) => [name, stringField(node, name)]));
const amounts = (node: MapNode, names: readonly string[]): Record<string, number | string | undefined> =>
  Object.fromEntries(names.map((name) => [name, numberOrString(field(node, name))]));

const DOCKER = ['dockerPull', 'dockerLoad', 'dockerFile', 'dockerImport', 'dockerImageId', 'dockerOutputDirectory'];
/** What it is where the field is left out. Source: cwltool's extension. */
const DEFAULT_SHM_SIZE = '64m';
const AMOUNTS = ['coresMin', 'coresMax', 'ramMin', 'ramMax', 'tmpdirMin', 'tmpdirMax', 'outdirMin', 'outdirMax'];

/** Readers answer undefined where the tables have reported an error. */
const READERS: Readonly<Record<string, (node: MapNode) => Requirement | undefined>> = {
  InlineJavascriptRequirement: (node) => ({ class: 'InlineJavascriptRequirement', expressionLib: stringsOf(field(node, 'expressionLib')) }),
  SchemaDefRequirement: () => ({ class: 'SchemaDefRequirement' }),
  DockerRequirement: (node) => defined<DockerRequirement>({ class: 'DockerRequirement', ...text(node, DOCKER) }),
  SoftwareRequirement: () => ({ class: 'SoftwareRequirement' }),
  InitialWorkDirRequirement: (node) => ({ class: 'InitialWorkDirRequirement', listing: listingOf(field(node, 'listing')) }),
  EnvVarRequirement: (node) => ({
    class: 'EnvVarRequirement',
    envDef: namedMaps(field(node, 'envDef'), 'envName', 'envValue').map(({ rawName, node: item }) => ({
      envName: rawName,
      envValue: stringField(item, 'envValue') ?? '',
    })),
  }),
  ShellCommandRequirement: () => ({ class: 'ShellCommandRequirement' }),
  ResourceRequirement: (node) => defined<ResourceRequirement>({ class: 'ResourceRequirement', ...amounts(node, AMOUNTS) }),
  WorkReuse: (node) => {
    const enableReuse = booleanOrString(field(node, 'enableReuse'));
    return enableReuse === undefined ? undefined : { class: 'WorkReuse', enableReuse };
  },
  NetworkAccess: (node) => {
    const networkAccess = booleanOrString(field(node, 'networkAccess'));
    return networkAccess === undefined ? undefined : { class: 'NetworkAccess', networkAccess };
  },
  InplaceUpdateRequirement: (node) => {
    const inplaceUpdate = booleanField(node, 'inplaceUpdate');
    return inplaceUpdate === undefined ? undefined : { class: 'InplaceUpdateRequirement', inplaceUpdate };
  },
  ToolTimeLimit: (node) => {
    const timelimit = numberOrString(field(node, 'timelimit'));
    return timelimit === undefined ? undefined : { class: 'ToolTimeLimit', timelimit };
  },
  LoadListingRequirement: (node) =>
    defined<{ class: 'LoadListingRequirement'; loadListing?: LoadListing }>({
      class: 'LoadListingRequirement',
      loadListing: loadListing(node),
    }),
  SubworkflowFeatureRequirement: () => ({ class: 'SubworkflowFeatureRequirement' }),
  ScatterFeatureRequirement: () => ({ class: 'ScatterFeatureRequirement' }),
  MultipleInputFeatureRequirement: () => ({ class: 'MultipleInputFeatureRequirement' }),
  StepInputExpressionRequirement: () => ({ class: 'StepInputExpressionRequirement' }),
  CUDARequirement: (node) =>
    defined<Requirement>({
      class: 'CUDARequirement',
      cudaDeviceCountMin: numberOrString(field(node, 'cudaDeviceCountMin')) ?? numberOrString(field(node, 'cudaDeviceCount')) ?? 1,
      cudaDeviceCountMax: numberOrString(field(node, 'cudaDeviceCountMax')),
      cudaVersionMin: stringField(node, 'cudaVersionMin'),
      cudaComputeCapability: stringOrStrings(field(node, 'cudaComputeCapability')),
    }),
  ShmSize: (node) => ({ class: 'ShmSize', shmSize: stringField(node, 'shmSize') ?? DEFAULT_SHM_SIZE }),
  SecretsRequirement: (node) => ({ class: 'SecretsRequirement', secrets: stringsOf(field(node, 'secrets')) }),
};

function listingOf(node: Node | undefined): string | WorkDirItem[] {
  const whole = stringOf(node);
  if (whole !== undefined) return whole;
  if (isMap(node)) return [direntOf(node)];
  return isList(node) ? node.items.flatMap((item) => (isNull(item) ? [] : [workDirItem(item)])) : [];
}

function workDirItem(node: Node): WorkDirItem {
  if (isMap(node) && !isFileObject(node)) return direntOf(node);
  return valueOf(node);
}

function direntOf(node: MapNode): Dirent {
  return defined({
    entryname: stringField(node, 'entryname'),
    entry: stringField(node, 'entry') ?? '',
    writable: booleanField(node, 'writable'),
  });
}

/** What `weft run` prints of a document in place of running it, as cwltool's options of these names do. */
import { relative, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectBundle, packDocument, SUPPORTED_VERSIONS } from '@weft/cwl';
import { type CwlObject, type CwlValue, type Plan, visitFiles, writeJson } from '@weft/plan';
import { localFetcher, lookedAtUri } from '../document/fetcher.js';
import { loadPlan, prepare, Refused } from '../document/prepare.js';
import { subgraphOf } from '../document/subgraph.js';
import { CommandError } from '../errors.js';
import { type PartOptions, besideOf } from './part-options.js';

export interface PrintOptions extends PartOptions {
  printDeps?: boolean;
  printInputDeps?: boolean;
  printTargets?: boolean;
  printSubgraph?: boolean;
  printSupportedVersions?: boolean;
  relativeDeps: 'primary' | 'cwd';
}

const CWL_FORMAT = 'https://w3id.org/cwl/cwl';

/** Whether something was printed, and nothing is to be run. */
export async function printInstead(document: string | undefined, rest: string[], options: PrintOptions): Promise<boolean> {
  const text = await textOf(document, rest, options);
  if (text !== undefined) process.stdout.write(text);
  return text !== undefined;
}

async function textOf(document: string | undefined, rest: string[], options: PrintOptions): Promise<string | undefined> {
  if (options.printSupportedVersions) return SUPPORTED_VERSIONS.map((version) => `${version}\n`).join('');
  const { printDeps, printInputDeps, printTargets, printSubgraph } = options;
  if (!printDeps && !printInputDeps && !printTargets && !printSubgraph) return undefined;
  if (document === undefined) throw new CommandError('of which document? weft run --print-… <document>');
  if (printDeps) return json(await dependencies(document, options));
  if (printInputDeps) return json(await inputDependencies(document, rest, options));
  const { plan } = await loadPlan(document, undefined, undefined, besideOf(options).part);
  return printTargets ? targetsOf(plan) : json(await subgraph(document, plan, options));
}

const json = (value: object): string => `${writeJson(value, 4)}\n`;

/** What is read to load the document, and the files that it gives as defaults. */
async function dependencies(document: string, { relativeDeps }: PrintOptions): Promise<CwlObject> {
  const uri = await lookedAtUri(document);
  const { bundle, result } = await collectBundle(uri, localFetcher, { isPart: true });
  if (result.plan === undefined) throw new Refused(result.diagnostics, result.unsupported);
  const root = uri.replace(/#.*$/, '');
  const place = placesFrom(root, relativeDeps);
  const documents = Object.keys(bundle.files).filter((file) => file !== root);
  const secondaryFiles = [
    ...documents.map((file): CwlObject => ({ class: 'File', location: place(file), format: CWL_FORMAT })),
    ...filesIn(defaultsOf(result.plan), place),
  ];
  return { class: 'File', location: place(root), format: CWL_FORMAT, ...(secondaryFiles.length > 0 && { secondaryFiles }) };
}

function defaultsOf(plan: Plan): CwlValue[] {
  return Object.values(plan.processes).flatMap((process) => {
    const steps = process.class === 'Workflow' ? process.steps.flatMap((step) => step.in) : [];
    return [...process.inputs, ...steps].flatMap(({ default: value }): CwlValue[] => (value === undefined ? [] : [value]));
  });
}

async function inputDependencies(document: string, rest: string[], options: PrintOptions): Promise<CwlObject> {
  const { baseUri, inputs } = await prepare(document, rest, besideOf(options));
  const place = placesFrom(baseUri, options.relativeDeps);
  const secondaryFiles = filesIn(inputs, place);
  return { class: 'File', location: place(baseUri), ...(secondaryFiles.length > 0 && { secondaryFiles }) };
}

/** Each file and directory once. */
function filesIn(value: CwlValue, place: (uri: string) => string): CwlObject[] {
  const found = new Map<string, CwlObject>();
  visitFiles(value, ({ class: kind, location, basename }) => {
    if (location !== undefined && !found.has(location))
      found.set(location, { class: kind, location: place(location), ...(basename !== undefined && { basename }) });
  });
  return [...found.values()];
}

/** Files as paths from the folder of the first one, or from the current one; other addresses as they are. */
function placesFrom(first: string, to: 'primary' | 'cwd'): (uri: string) => string {
  const folder =
    to === 'cwd' || !first.startsWith('file:') ? process.cwd() : dirname(fileURLToPath(first.endsWith('/') ? `${first}x` : first));
  return (uri) => (uri.startsWith('file:') ? relative(folder, fileURLToPath(uri)) || '.' : uri);
}

function targetsOf(plan: Plan): string {
  const root = plan.processes[plan.root];
  if (root === undefined) return '';
  const steps = root.class === 'Workflow' ? root.steps : [];
  const parts: [string, { name: string }[]][] = [
    ['outputs', root.outputs],
    ['steps', steps],
    ['inputs', root.inputs],
  ];
  return parts.map(([kind, named]) => `${kind}:\n${named.map(({ name }) => `  ${name}\n`).join('')}`).join('');
}

async function subgraph(document: string, plan: Plan, { singleStep, singleProcess }: PrintOptions): Promise<object> {
  const root = plan.processes[plan.root];
  if (singleProcess !== undefined || singleStep?.includes('/') || root?.class !== 'Workflow')
    throw new CommandError('--print-subgraph prints a part of the outermost workflow: name it with --target, or with --single-step');
  const packed = await packDocument(await lookedAtUri(document), localFetcher);
  if (packed.document === undefined) throw new Refused(packed.diagnostics, packed.unsupported);
  return subgraphOf(packed.document, root);
}

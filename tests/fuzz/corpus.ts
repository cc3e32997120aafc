/** What is mutated: the documents and jobs of the public conformance suites where they lie beside the repository, and the project's own. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collectBundle } from '@weft/cwl';
import { repositoryFiles } from '../architecture/repository-files.js';

export interface Specimen {
  root: string;
  files: Record<string, string>;
  /** Address of its job, which is among the files. */
  job?: string;
}

const MAX_FILE = 40_000;

export async function collectCorpus(): Promise<Specimen[]> {
  const specimens = [...ownSpecimens(), ...suiteSpecimens()];
  const read = await Promise.all(specimens.map(({ tool, job }) => specimen(tool, job)));
  return read.filter((s) => Object.values(s.files).every((text) => text.length <= MAX_FILE));
}

interface Named {
  tool: string;
  job?: string;
}

function ownSpecimens(): Named[] {
  const files = repositoryFiles().filter((file) => /^(bench\/workflows|examples|templates|tests\/conformance)\//.test(file));
  const absolute = (file: string): string => join(process.cwd(), file);
  return files
    .filter((file) => file.endsWith('.cwl'))
    .map((tool) => ({ tool: absolute(tool), job: jobBeside(tool, files).map(absolute)[0] }));
}

/** Any job will do: most of what a mutation meets is a mismatch anyway. */
function jobBeside(tool: string, files: readonly string[]): string[] {
  const beside = files.filter((file) => dirname(file) === dirname(tool) && /\.(json|ya?ml)$/.test(file));
  const same = beside.filter((file) => basename(file).startsWith(basename(tool, '.cwl')));
  return [...same, ...beside];
}

function suiteSpecimens(): Named[] {
  return ['v1.2', 'v1.3'].flatMap((version) => {
    const folder = join(process.cwd(), '..', 'shared', 'conformance', version);
    const index = join(folder, 'conformance_tests.json');
    if (!existsSync(index)) return [];
    const tests = JSON.parse(readFileSync(index, 'utf8')) as { tool: string; job?: string | null }[];
    return tests.map(({ tool, job }) => ({ tool: join(folder, tool), job: job ? join(folder, job) : undefined }));
  });
}

async function specimen(tool: string, job: string | undefined): Promise<Specimen> {
  // A '#' names a process only in the last part: folders and files of the suites have none.
  const [path = tool, fragment] = tool.split('#');
  const root = pathToFileURL(path).href + (fragment === undefined ? '' : `#${fragment}`);
  const exact = existsSync(tool) ? pathToFileURL(tool).href : root;
  const { bundle } = await collectBundle(exact, { fetch: (uri) => readFile(new URL(uri), 'utf8') });
  if (job === undefined) return { root: exact, files: bundle.files };
  const address = pathToFileURL(job).href;
  return { root: exact, files: { ...bundle.files, [address]: await readFile(job, 'utf8') }, job: address };
}

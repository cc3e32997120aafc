/** What is mutated: the documents and jobs of the public conformance suites where they lie beside the repository, and the project's own. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collectBundle } from '@weft/cwl';

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
  return ['bench/workflows', 'examples', 'templates', 'tests/conformance'].flatMap((folder) =>
    cwlBelow(join(process.cwd(), folder)).map((tool) => ({ tool, job: jobBeside(tool) })),
  );
}

function cwlBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.cwl'))
    .map((name) => join(folder, name));
}

/** Any job will do: most of what a mutation meets is a mismatch anyway. */
function jobBeside(tool: string): string | undefined {
  const names = readdirSync(dirname(tool)).filter((name) => /\.(json|ya?ml)$/.test(name));
  const same = names.find((name) => name.startsWith(basename(tool, '.cwl')));
  const chosen = same ?? names[0];
  return chosen === undefined ? undefined : join(dirname(tool), chosen);
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

/**
 * Finds a worker thread's program: beside the bundle in a built system; otherwise (tests, running from sources) it is bundled
 * once per state of its sources into node_modules/.cache.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** Bundled CommonJS packages call `require` for Node's own modules. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export interface WorkerProgram {
  /** Of the program in a built system, without ending: `expression-worker`. */
  name: string;
  /** `import.meta.url` of the module beside which it lies. */
  beside: string;
  /** Its source, relative to that module. */
  source: string;
  /** Folders that its sources are in, relative to that module. */
  folders: readonly string[];
}

/** Rejects where there is neither a bundle nor sources to make one from. */
export async function locateWorkerProgram(program: WorkerProgram): Promise<URL> {
  const beside = new URL(`./${program.name}.mjs`, program.beside);
  if (existsSync(beside)) return beside;
  const source = new URL(program.source, program.beside);
  if (!existsSync(source)) throw new Error(`a worker is missing: ${fileURLToPath(beside)} (build again)`);
  return bundle(fileURLToPath(source), program);
}

async function bundle(source: string, { name, beside, folders }: WorkerProgram): Promise<URL> {
  const require = createRequire(import.meta.url);
  const esbuild = require.resolve('esbuild/bin/esbuild');
  const cache = join(dirname(dirname(dirname(dirname(esbuild)))), 'node_modules', '.cache', 'weft');
  const target = join(
    cache,
    `${name}-${await fingerprint(
      folders.map((folder) => fileURLToPath(new URL(folder, beside))),
      esbuild,
    )}.mjs`,
  );
  if (!existsSync(target)) {
    await mkdir(cache, { recursive: true });
    const draft = `${target}.${process.pid}.${Date.now()}`;
    const options = [
      '--bundle',
      '--format=esm',
      '--platform=node',
      '--target=node20',
      '--log-level=error',
      `--outfile=${draft}`,
      `--banner:js=${REQUIRE}`,
    ];
    await promisify(execFile)(esbuild, [source, ...options]);
    await rename(draft, target);
  }
  return pathToFileURL(target);
}

async function fingerprint(folders: readonly string[], esbuild: string): Promise<string> {
  const hash = createHash('sha256').update(esbuild).update(process.version).update(REQUIRE);
  for (const folder of folders) {
    for (const name of (await readdir(folder, { recursive: true })).sort()) {
      if (name.endsWith('.ts') && !name.endsWith('.spec.ts')) hash.update(name).update(await readFile(join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

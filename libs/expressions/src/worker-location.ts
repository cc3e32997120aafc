/**
 * Finds the worker thread's program: beside the bundle in a built system; otherwise (tests, running from sources) it is bundled
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

const BUNDLE = './expression-worker.mjs';
const SOURCE = './worker.ts';

/** Rejects where there is neither a bundle nor sources to make one from. */
export async function locateWorker(): Promise<URL> {
  const beside = new URL(BUNDLE, import.meta.url);
  if (existsSync(beside)) return beside;
  const source = new URL(SOURCE, import.meta.url);
  if (!existsSync(source)) throw new Error(`the expression worker is missing: ${fileURLToPath(beside)} (build again)`);
  return bundle(fileURLToPath(source));
}

async function bundle(source: string): Promise<URL> {
  const require = createRequire(import.meta.url);
  const esbuild = require.resolve('esbuild/bin/esbuild');
  const cache = join(dirname(dirname(dirname(dirname(esbuild)))), 'node_modules', '.cache', 'weft');
  const target = join(cache, `expression-worker-${await fingerprint(dirname(source), esbuild)}.mjs`);
  if (!existsSync(target)) {
    await mkdir(cache, { recursive: true });
    const draft = `${target}.${process.pid}.${Date.now()}`;
    const options = ['--bundle', '--format=esm', '--platform=node', '--target=node20', '--log-level=error', `--outfile=${draft}`];
    await promisify(execFile)(esbuild, [source, ...options]);
    await rename(draft, target);
  }
  return pathToFileURL(target);
}

async function fingerprint(folder: string, esbuild: string): Promise<string> {
  const hash = createHash('sha256').update(esbuild).update(process.version);
  for (const name of (await readdir(folder)).sort()) {
    if (name.endsWith('.ts') && !name.endsWith('.spec.ts')) hash.update(name).update(await readFile(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

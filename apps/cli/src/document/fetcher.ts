/** Reads documents by URI for the loader: files, what is piped, http(s), and what `data:` addresses hold. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { entryPointsOf, type Fetcher, textOfDataUri } from '@weft/cwl';
import type { StorageRouter } from '@weft/storage';
import { pipedText, pipedUri } from './piped.js';

/** No document has more. */
const LIMIT_BYTES = 16 * 1024 * 1024;

export const localFetcher: Fetcher = { fetch: (uri) => (uri.startsWith('file:') ? readLocal(uri) : readRemote(uri)) };

async function readLocal(uri: string): Promise<string> {
  const piped = pipedText(uri);
  if (piped !== undefined) return piped;
  const path = fileURLToPath(uri);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(reasonOf(path, error as NodeJS.ErrnoException), { cause: error });
  }
}

function reasonOf(path: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `${path} does not exist`;
  if (error.code === 'EISDIR') return `${path} is a directory`;
  if (error.code === 'EACCES') return `${path} may not be read by this user`;
  return `${path} cannot be read: ${error.message}`;
}

const fetched = new Map<string, Promise<string>>();

/** Once per command: entry points of a document are looked for first, and then each is loaded. */
function readRemote(uri: string): Promise<string> {
  const text = fetched.get(uri) ?? fetchRemote(uri);
  fetched.set(uri, text);
  return text;
}

async function fetchRemote(uri: string): Promise<string> {
  const inside = textOfDataUri(uri);
  if (inside !== undefined) return inside;
  if (!/^https?:/.test(uri)) throw new Error(`${uri}: only file:, http: and https: documents can be read`);
  return (await (remote ??= openRemote())).readText(uri, LIMIT_BYTES);
}

let remote: Promise<StorageRouter> | undefined;

/** Loaded when the first document lies elsewhere; it is the user's own machine that asks. */
async function openRemote(): Promise<StorageRouter> {
  return (await import('@weft/storage')).createStorage({ http: { allowPrivate: true } });
}

/** What the command line names, as an absolute URI with its fragment. A path that exists as it stands wins over one with a fragment. */
export async function documentUri(name: string): Promise<string> {
  if (/^(https?|file):/.test(name)) return name;
  const piped = await pipedUri(name);
  if (piped !== undefined) return piped;
  if (await exists(name)) return pathToFileURL(resolve(name)).href;
  const hash = name.lastIndexOf('#');
  if (hash < 0) return pathToFileURL(resolve(name)).href;
  return `${pathToFileURL(resolve(name.slice(0, hash))).href}${name.slice(hash)}`;
}

/** The same of one that is looked at and not run: of a `$graph` without `main` the process that no other one runs, where there is one. */
export async function lookedAtUri(name: string): Promise<string> {
  const uri = await documentUri(name);
  const [only, ...others] = await entryPointsOf(uri, localFetcher);
  return only !== undefined && others.length === 0 ? `${uri}#${only}` : uri;
}

/** The same of a job, whose name has no fragment. */
export async function jobUri(name: string): Promise<string> {
  if (/^(https?|file):/.test(name)) return name;
  return (await pipedUri(name)) ?? pathToFileURL(resolve(name)).href;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Documents and jobs that are no files: stdin (`-`), what a shell hands over by `<(…)`, FIFOs.
 *
 * Invariants:
 *  1. Each is read once, however often it is asked for.
 *  2. No more than LIMIT_BYTES are read, and who waits for one is told so.
 *  3. What it refers to lies in the current folder: it has none of its own.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const LIMIT_BYTES = 16 * 1024 * 1024;
const SILENT_MS = 3_000;

interface Source {
  shown: string;
  open(): AsyncIterable<Buffer | string>;
  text?: Promise<string>;
}

const sources = new Map<string, Source>();

/** The URI under which it can be read; undefined: the name is that of a file, of a folder, or of nothing. */
export async function pipedUri(name: string): Promise<string | undefined> {
  if (name === '-') return known('-', { shown: 'stdin', open: () => process.stdin });
  const found = await stat(name).catch(() => undefined);
  if (found === undefined || found.isFile() || found.isDirectory()) return undefined;
  return known(name.replace(/[^\w.-]+/g, '_').replace(/^_/, ''), { shown: name, open: () => createReadStream(name) });
}

export function pipedText(uri: string): Promise<string> | undefined {
  const source = sources.get(uri);
  return source && (source.text ??= read(source));
}

function known(name: string, source: Source): string {
  const uri = pathToFileURL(resolve(name)).href;
  if (!sources.has(uri)) sources.set(uri, source);
  return uri;
}

async function read({ shown, open }: Source): Promise<string> {
  const waiting = setTimeout(() => process.stderr.write(`weft: waiting for what comes on ${shown}\n`), SILENT_MS);
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of open()) {
      clearTimeout(waiting);
      const buffer = Buffer.from(part);
      bytes += buffer.length;
      if (bytes > LIMIT_BYTES)
        throw new Error(`what comes on ${shown} is larger than ${LIMIT_BYTES / 1024 / 1024} MiB: no document or job is`);
      parts.push(buffer);
    }
  } finally {
    clearTimeout(waiting);
  }
  return Buffer.concat(parts).toString('utf8');
}

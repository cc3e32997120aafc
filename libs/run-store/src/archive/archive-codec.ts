/**
 * A finished run as bytes: gzip over JSON lines (`zcat` shows them). The first line says what it is and has the header; then one line per
 * entry of the log, one per chunk of task log, and a last line that counts both.
 *
 * Invariant: a text that was cut off is never taken for a run: its last line is missing.
 */
import { type Readable, pipeline, type Transform } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { InvalidRequestError } from '../errors.js';
import type { LogEntry } from '../ports.js';
import type { RestingRun, RestingRunPages, StoredChunk } from '../retention.ports.js';

const FORMAT = 'weft-run';
const VERSION = 1;
/** Lines handed on together. */
const PAGE = 1000;

/** How the lines are packed. */
export interface Packing {
  pack(): Transform;
  unpack(): Transform;
}

export const GZIP: Packing = { pack: () => createGzip(), unpack: () => createGunzip() };

type Line =
  | ({ format: typeof FORMAT; version: number } & RestingRun)
  | { entry: LogEntry }
  | { chunk: StoredChunk }
  | { end: { entries: number; chunks: number } };

/** The bytes, and the cursor of the last chunk in them. Works page by page: a long log holds up nobody and is never in memory as text. */
export async function encodeRun(run: RestingRunPages, { pack }: Packing): Promise<{ bytes: Buffer; cursor: string }> {
  const packed = pack();
  const parts: Buffer[] = [];
  const done = new Promise<void>((resolve, reject) =>
    packed
      .on('data', (part: Buffer) => parts.push(part))
      .once('end', resolve)
      .once('error', reject),
  );
  const write = (lines: Line[]): Promise<void> => {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    return new Promise((resolve, reject) => packed.write(text, (error) => (error ? reject(error) : resolve())));
  };
  const { header, sequence, idempotency } = run;
  await write([{ format: FORMAT, version: VERSION, header, sequence, idempotency }]);
  const end = { entries: 0, chunks: 0 };
  let cursor = '';
  for await (const page of run.entries) {
    await write(page.map((entry) => ({ entry })));
    end.entries += page.length;
  }
  for await (const page of run.chunks) {
    await write(page.map((chunk) => ({ chunk })));
    end.chunks += page.length;
    cursor = page.at(-1)?.cursor ?? cursor;
  }
  await write([{ end }]);
  packed.end();
  await done;
  return { bytes: Buffer.concat(parts), cursor };
}

/** The first line only: the rest is not fetched. */
export async function decodeHead(stream: Readable, packing: Packing): Promise<RestingRun> {
  for await (const [line] of lines(stream, packing)) return headOf(line);
  throw new Error('an archived run is empty');
}

/** `open` is called once for the entries and once for the chunks, where they are asked for. */
export function decodeRun(head: RestingRun, open: () => Promise<Readable>, packing: Packing): RestingRunPages {
  const read = async (): Promise<AsyncIterable<string[]>> => lines(await open(), packing);
  return {
    ...head,
    entries: pages(read, (line) => ('entry' in line ? line.entry : undefined)),
    chunks: pages(read, (line) => ('chunk' in line ? line.chunk : undefined)),
  };
}

async function* pages<T>(
  read: () => Promise<AsyncIterable<string[]>>,
  pick: (line: Line) => T | undefined,
): AsyncGenerator<T[], void, undefined> {
  let whole = false;
  for await (const page of await read()) {
    const parsed = page.map((text) => JSON.parse(text) as Line);
    const last = parsed.at(-1);
    whole = last !== undefined && 'end' in last;
    const picked = parsed.map(pick).filter((item) => item !== undefined);
    if (picked.length > 0) yield picked;
  }
  if (!whole) throw new Error('an archived run lacks its end');
}

function headOf(text: string | undefined): RestingRun {
  const line = JSON.parse(text ?? 'null') as Line | null;
  if (line === null || !('format' in line) || line.format !== FORMAT) throw new Error('this is not an archived run');
  if (line.version !== VERSION) throw new InvalidRequestError(`this run was archived by another version of weft (format ${line.version})`);
  const { header, sequence, idempotency } = line;
  return { header, sequence, idempotency };
}

/** Up to PAGE lines at a time, the very first one alone. */
async function* lines(packed: Readable, { unpack }: Packing): AsyncGenerator<string[], void, undefined> {
  const plain = unpack();
  // Errors of either stream come out of the iteration; the callback only keeps them from being thrown a second time.
  pipeline(packed, plain, () => undefined);
  let rest = '';
  let first = true;
  let page: string[] = [];
  try {
    for await (const text of plain.setEncoding('utf8') as AsyncIterable<string>) {
      const found = (rest + text).split('\n');
      rest = found.pop() ?? '';
      for (const line of found) {
        page.push(line);
        if (page.length < PAGE && !first) continue;
        yield page;
        page = [];
        first = false;
      }
    }
    if (rest !== '') page.push(rest);
    if (page.length > 0) yield page;
  } finally {
    packed.destroy();
    plain.destroy();
  }
}

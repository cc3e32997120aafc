/**
 * A finished run as bytes: gzip over JSON lines (`zcat` shows them). The first line says what it is and has the header; then a line for its
 * inputs and one for its outputs, where it has them, one per entry of the log, one per chunk of task log, and a last line that counts both.
 *
 * Invariants:
 *  1. A text that was cut off is never taken for a run: its last line is missing.
 *  2. Reading takes time in proportion to the text, however long a line is, and has no more of it in hand than a line or PAGE_CHARS.
 *  3. Of version 1, whose header has the objects in it, everything is read.
 */
import { jsonOf, readJson, writeJson } from '@weft/plan';
import { type Readable, pipeline, type Transform } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { InvalidRequestError, UnreadableRunError } from '../errors.js';
import { checkedHeader, objectInHeader } from '../header-codec.js';
import type { LogEntry } from '../ports.js';
import type { RestingRun, RestingRunPages, RunTexts, StoredChunk } from '../retention.ports.js';

const FORMAT = 'weft-run';
const VERSION = 2;
/** Lines handed on together. */
const PAGE = 1000;
const PAGE_CHARS = 4 * 1024 * 1024;
const OBJECTS = ['inputs', 'outputs'] as const;

/** How the lines are packed. */
export interface Packing {
  pack(): Transform;
  unpack(): Transform;
}

export const GZIP: Packing = { pack: () => createGzip(), unpack: () => createGunzip() };

/** The first line; `texts` where it has the objects in it. */
export interface Head extends RestingRun {
  texts?: RunTexts;
}

type Line =
  | ({ format: typeof FORMAT; version: number } & RestingRun)
  | RunTexts
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
  const writeText = (text: string): Promise<void> =>
    new Promise((resolve, reject) => packed.write(text, (error) => (error ? reject(error) : resolve())));
  const write = (lines: Line[]): Promise<void> => writeText(lines.map((line) => `${writeJson(line)}\n`).join(''));
  const { header, sequence, idempotency } = run;
  await write([{ format: FORMAT, version: VERSION, header, sequence, idempotency }]);
  const texts = await run.objects();
  for (const which of OBJECTS) if (texts[which] !== undefined) await writeText(`${prefixOf(which)}${texts[which]}}\n`);
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
export async function decodeHead(runId: string, stream: Readable, packing: Packing): Promise<Head> {
  for await (const [line] of readable(runId, lines(stream, packing))) return headOf(runId, line);
  throw new UnreadableRunError(runId, 'it is empty in the archive');
}

/** The objects of a run, as far as it has them; what comes after them is not fetched. */
export async function decodeObjects(runId: string, stream: Readable, packing: Packing): Promise<RunTexts> {
  const found: RunTexts = {};
  let head: Head | undefined;
  for await (const page of readable(runId, lines(stream, packing))) {
    for (const line of page) {
      if (head === undefined) {
        head = headOf(runId, line);
        if (head.texts) return head.texts;
        continue;
      }
      const which = OBJECTS.find((name) => line.startsWith(prefixOf(name)));
      if (which === undefined) return found;
      found[which] = line.slice(prefixOf(which).length, -1);
    }
  }
  return found;
}

/** @throws UnreadableRunError where they are not packed */
async function* readable(runId: string, pages: AsyncIterable<string[]>): AsyncGenerator<string[], void, undefined> {
  try {
    yield* pages;
  } catch (error) {
    if (!/^Z_/.test(String((error as { code?: unknown }).code))) throw error;
    throw new UnreadableRunError(runId, `it is not packed in the archive as it was written (${(error as Error).message})`);
  }
}

const prefixOf = (which: (typeof OBJECTS)[number]): string => `{"${which}":`;

/** `open` is called once for the entries and once for the chunks, where they are asked for. */
export function decodeRun({ texts, ...head }: Head, open: () => Promise<Readable>, packing: Packing): RestingRunPages {
  const read = async (): Promise<AsyncIterable<string[]>> => lines(await open(), packing);
  return {
    ...head,
    objects: async () => texts ?? decodeObjects(head.header.runId, await open(), packing),
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
    const parsed = page.filter((text) => !OBJECTS.some((which) => text.startsWith(prefixOf(which)))).map((text) => readJson(text) as Line);
    const last = parsed.at(-1);
    whole = last !== undefined && 'end' in last;
    const picked = parsed.map(pick).filter((item) => item !== undefined);
    if (picked.length > 0) yield picked;
  }
  if (!whole) throw new Error('an archived run lacks its end');
}

function headOf(runId: string, text = ''): Head {
  const line = jsonOf(text) as Line | null | undefined;
  if (line === undefined) throw new UnreadableRunError(runId, 'its first line in the archive is not JSON');
  if (line === null || !('format' in line) || line.format !== FORMAT) throw new UnreadableRunError(runId, 'what the archive has is no run');
  if (line.version > VERSION) throw new InvalidRequestError(`this run was archived by another version of weft (format ${line.version})`);
  const { sequence, idempotency } = line;
  const members = { ...line.header } as unknown as Record<string, unknown>;
  const head = { header: checkedHeader(runId, members), sequence, idempotency };
  if (line.version === VERSION) return head;
  return { ...head, texts: { inputs: objectInHeader(members, 'inputs'), outputs: objectInHeader(members, 'outputs') } };
}

/** Up to PAGE lines or PAGE_CHARS at a time, the very first one alone. */
async function* lines(packed: Readable, { unpack }: Packing): AsyncGenerator<string[], void, undefined> {
  const plain = unpack();
  // Errors of either stream come out of the iteration; the callback only keeps them from being thrown a second time.
  pipeline(packed, plain, () => undefined);
  // Of a line that goes on: its parts are put together once, when its end has come.
  let open: string[] = [];
  let first = true;
  let page: string[] = [];
  let chars = 0;
  try {
    for await (const text of plain.setEncoding('utf8') as AsyncIterable<string>) {
      let start = 0;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
        open.push(text.slice(start, end));
        start = end + 1;
        const line = open.join('');
        open = [];
        page.push(line);
        chars += line.length;
        if (page.length < PAGE && chars < PAGE_CHARS && !first) continue;
        yield page;
        page = [];
        chars = 0;
        first = false;
      }
      if (start < text.length) open.push(text.slice(start));
    }
    if (open.length > 0) page.push(open.join(''));
    if (page.length > 0) yield page;
  } finally {
    packed.destroy();
    plain.destroy();
  }
}

/**
 * The archive over any place for objects.
 *
 * Invariants:
 *  1. Index first, then the run: an index entry without a run is skipped, a run without its entries could never be listed.
 *  2. What was written is read back and compared before anybody relies on it.
 */
import { Readable, type Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Plan, readJson, writeJson } from '@weft/plan';
import type { RunObject, StoredObject } from '../ports.js';
import { storedText } from '../stored-object.js';
import type { ArchiveFiles, IndexedRun, RestingRun, RestingRunPages, RunArchive } from '../retention.ports.js';
import { decodeHead, decodeObjects, decodeRun, encodeRun, GZIP, type Packing } from './archive-codec.js';
import { indexFolder, indexNames, indexedRun, minuteOf, planName, runName } from './archive-layout.js';

/** Minutes of a day whose names are fetched together; begins at one, so that a busy archive is read lightly. */
const MOST_AHEAD = 16;
/** Plans known to be stored; others are looked for again. */
const KNOWN_PLANS = 1000;
const EMPTY = new Uint8Array();

export class FileRunArchive implements RunArchive {
  private readonly stored = new Set<string>();

  constructor(
    private readonly files: ArchiveFiles,
    private readonly packing: Packing = GZIP,
  ) {}

  async put(run: RestingRunPages): Promise<{ cursor: string; bytes: number }> {
    const { bytes, cursor } = await encodeRun(run, this.packing);
    await Promise.all(indexNames(run.header).map((name) => this.files.write(name, EMPTY)));
    await this.writeChecked(runName(run.header.runId), bytes);
    return { cursor, bytes: bytes.length };
  }

  async find(runId: string): Promise<RestingRun | undefined> {
    const stream = await this.files.open(runName(runId));
    return stream && decodeHead(runId, stream, this.packing);
  }

  async object(runId: string, which: RunObject): Promise<StoredObject | undefined> {
    const stream = await this.files.open(runName(runId));
    const text = stream && (await decodeObjects(runId, stream, this.packing))[which];
    return text === undefined ? undefined : storedText(text);
  }

  async read(runId: string): Promise<{ run: RestingRunPages; bytes: number } | undefined> {
    const name = runName(runId);
    const stream = await this.files.open(name);
    if (!stream) return undefined;
    // Compressed, it is small: read once, it stays the same whatever is replaced or removed meanwhile.
    const bytes = await buffer(stream);
    const open = async (): Promise<Readable> => Readable.from([bytes]);
    return { run: decodeRun(await decodeHead(runId, await open(), this.packing), open, this.packing), bytes: bytes.length };
  }

  async *newestFirst(projectId: string | undefined, after: string | undefined): AsyncGenerator<IndexedRun[], void, undefined> {
    const folder = indexFolder(projectId);
    const from = after === undefined ? undefined : minuteOf(after);
    for (const year of await this.downFrom(folder, from?.[0])) {
      const atYear = year === from?.[0] ? from : undefined;
      for (const day of await this.downFrom(`${folder}${year}/`, atYear?.[1])) {
        const atDay = day === atYear?.[1] ? atYear : undefined;
        const minutes = await this.downFrom(`${folder}${year}/${day}/`, atDay?.[2]);
        for (let first = 0, ahead = 1; first < minutes.length; first += ahead, ahead = Math.min(MOST_AHEAD, ahead * 2)) {
          const several = minutes.slice(first, first + ahead);
          const names = await Promise.all(several.map((minute) => this.files.list(`${folder}${year}/${day}/${minute}/`)));
          const runs = names.flatMap((page) => page.reverse().flatMap((name) => indexedRun(name) ?? []));
          const wanted = after === undefined ? runs : runs.filter(({ position }) => position < after);
          if (wanted.length > 0) yield wanted;
        }
      }
    }
  }

  async remove({ header }: RestingRun): Promise<void> {
    await this.files.remove(runName(header.runId));
    await Promise.all(indexNames(header).map((name) => this.files.remove(name)));
  }

  async putPlan(hash: string, plan: Plan): Promise<void> {
    if (this.stored.has(hash)) return;
    const name = planName(hash);
    const present = await this.files.open(name);
    if (present) present.destroy();
    else await this.writeChecked(name, await through(this.packing.pack(), Buffer.from(writeJson(plan))));
    this.stored.add(hash);
    for (const oldest of this.stored) if (this.stored.size <= KNOWN_PLANS || !this.stored.delete(oldest)) break;
  }

  async getPlan(hash: string): Promise<Plan | undefined> {
    const stream = await this.files.open(planName(hash));
    return stream && (readJson((await through(this.packing.unpack(), await buffer(stream))).toString()) as Plan);
  }

  /** Names of a folder, greatest first, none after `limit`. */
  private async downFrom(folder: string, limit: string | undefined): Promise<string[]> {
    const names = await this.files.list(folder);
    return names.filter((name) => limit === undefined || name <= limit).reverse();
  }

  private async writeChecked(name: string, bytes: Buffer): Promise<void> {
    await this.files.write(name, bytes);
    const stream = await this.files.open(name);
    if (!stream || !bytes.equals(await buffer(stream))) throw new Error(`${name} is not in storage as it was written`);
  }
}

function through(transform: Transform, bytes: Buffer): Promise<Buffer> {
  transform.end(bytes);
  return buffer(transform);
}

/** Of the newest archived run; undefined: there is none. */
export async function newestPosition(archive: RunArchive): Promise<string | undefined> {
  for await (const [newest] of archive.newestFirst(undefined, undefined)) return newest?.position;
  return undefined;
}

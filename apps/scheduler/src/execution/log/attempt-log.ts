/**
 * The log of one attempt as a dispatcher hears it: pieces of bytes with their places, turned into chunks of text for the store.
 *
 * Invariants:
 *  1. A chunk's place says which bytes its text stands for; what the runner sends again is not stored again.
 *  2. A life of the tool that is new begins its streams anew; of one that another has followed nothing more is taken.
 */
import { TASK_LOG_HEAD_BYTES, TASK_LOG_TAIL_BYTES, type TaskLogChunk } from '@weft/run-store';
import type { TaskJob } from '@weft/queue';

export type LoggedJob = Pick<TaskJob, 'runId' | 'taskId' | 'attempt' | 'step' | 'index'>;
type StreamName = 'stdout' | 'stderr';

/** A chunk that newer ones of its attempt may push out. */
export interface TailItem {
  bytes: number;
  /** Once it is stored. */
  cursors?: string[];
  gone: boolean;
}

export interface LogWriter {
  /** @param tail absent: it stays */
  add(chunk: TaskLogChunk, tail?: TailItem): void;
  drop(cursors: string[]): void;
  keep(attempt: { taskId: string; attempt: number }): void;
}

/** Of a piece, in what one life of the tool has written to the stream. */
export interface LogPosition {
  offset?: number;
  line?: number;
  life?: string;
}

const NOTHING = new Uint8Array();
/** A mark of the order of bytes is a character like others here. */
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });
/** Of one chunk; a runner may send more at once. */
const CHUNK_BYTES = 8 * 1024;

interface StreamState {
  /** The beginning of a character whose rest has not come. */
  carry: Uint8Array;
  /** Up to where it was heard, and up to where chunks were made of it: between them lies the beginning of a character. */
  heard: number;
  lines: number;
  told: number;
  tail: TailItem[];
  tailBytes: number;
}

export class AttemptLog {
  private readonly streams = { stdout: newStream(), stderr: newStream() };
  private life = '';
  private readonly formerLives = new Set<string>();

  constructor(
    private readonly job: LoggedJob,
    /** What a runner that does not say where its pieces lie has sent before is not known then. */
    private readonly attached: boolean,
    private readonly writer: LogWriter,
  ) {}

  note(text: string): void {
    this.writer.add({ ...this.about('system'), text });
  }

  /** Takes a piece; `offset` and `line` as the runner says, absent where it sends everything, once; so is `life`, where there may be several. */
  take(name: StreamName, data: Uint8Array, { offset, line, life = '' }: LogPosition = {}): void {
    if (this.formerLives.has(life)) return;
    if (life !== this.life) this.beginLife(life);
    const stream = this.streams[name];
    const from = offset ?? stream.heard;
    if (from + data.length <= stream.heard) return;
    if (from !== stream.heard) {
      stream.carry = NOTHING;
      stream.told = from;
    }
    stream.heard = from;
    stream.lines = line ?? stream.lines;
    const placed = offset !== undefined || !this.attached;
    for (let at = 0; at < data.length; at += CHUNK_BYTES) this.chunk(name, stream, data.subarray(at, at + CHUNK_BYTES), placed);
  }

  private beginLife(life: string): void {
    if (this.life !== '') this.formerLives.add(this.life);
    this.life = life;
    // What is kept of the end stays what newer output pushes out, whichever life wrote it.
    for (const stream of Object.values(this.streams)) Object.assign(stream, { carry: NOTHING, heard: 0, lines: 0, told: 0 });
  }

  /** Its log is worth more than those of others. */
  failed(): void {
    const { taskId, attempt } = this.job;
    this.writer.keep({ taskId, attempt });
  }

  private chunk(name: StreamName, stream: StreamState, data: Uint8Array, placed: boolean): void {
    const bytes = stream.carry.length === 0 ? data : Buffer.concat([stream.carry, data]);
    const whole = bytes.length - unfinished(bytes);
    const text = DECODER.decode(bytes.subarray(0, whole));
    stream.carry = Uint8Array.from(bytes.subarray(whole));
    stream.heard += data.length;
    const line = stream.lines;
    for (const byte of data) if (byte === 0x0a) stream.lines += 1;
    if (text === '') return;
    const place = { from: stream.told, to: stream.heard - stream.carry.length, line, ...(this.life !== '' && { life: this.life }) };
    stream.told = place.to;
    const chunk = { ...this.about(name), text, ...(placed && { place }) };
    if (place.from < TASK_LOG_HEAD_BYTES) return this.writer.add(chunk);
    const item: TailItem = { bytes: data.length, gone: false };
    stream.tail.push(item);
    stream.tailBytes += item.bytes;
    this.writer.add(chunk, item);
    this.pushOut(stream);
  }

  private pushOut(stream: StreamState): void {
    for (let [oldest] = stream.tail; oldest && stream.tailBytes - oldest.bytes >= TASK_LOG_TAIL_BYTES; [oldest] = stream.tail) {
      stream.tail.shift();
      stream.tailBytes -= oldest.bytes;
      oldest.gone = true;
      if (oldest.cursors !== undefined) this.writer.drop(oldest.cursors);
    }
  }

  private about(stream: TaskLogChunk['stream']): Omit<TaskLogChunk, 'text'> {
    const { taskId, attempt, step, index } = this.job;
    return { taskId, attempt, step, ...(index !== '' && { index }), stream, atMs: Date.now() };
  }
}

function newStream(): StreamState {
  return { carry: NOTHING, heard: 0, lines: 0, told: 0, tail: [], tailBytes: 0 };
}

/** Bytes at the end that are the beginning of a character. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

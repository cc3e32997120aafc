/**
 * The beginning and the end of what a task writes to one stream, whatever it writes in between. Pure.
 *
 * Invariants:
 *  1. Every piece says where it lies in the stream: pieces in order of their offsets, and the counts between them, make up all that was written.
 *  2. No more is kept than the limits and one chunk.
 *  3. What is left out begins and ends between lines, or within a line that is longer than a limit; then, within a chunk, between
 *     characters.
 */
export interface LogPiece {
  /** Bytes and ends of lines of the stream before it. */
  offset: number;
  line: number;
  data: Buffer;
}

export interface ExcerptLimits {
  headBytes: number;
  tailBytes: number;
}

export const EXCERPT_LIMITS: ExcerptLimits = { headBytes: 16 * 1024, tailBytes: 32 * 1024 };
/** Of one piece that is handed out. */
const PIECE_BYTES = 8 * 1024;
const NEWLINE = 0x0a;

type CountedPiece = LogPiece & { lines: number; beginsLine: boolean };

export class LogExcerpt {
  private readonly head: CountedPiece[] = [];
  private headLength = 0;
  private headOpen = true;
  private tail: CountedPiece[] = [];
  private tailLength = 0;
  /** Of the stream; before it, what was handed out or was passed over. */
  private sent = 0;
  private afterLine = true;
  /** Bytes and lines so far. */
  readonly written = { bytes: 0, lines: 0 };

  constructor(private readonly limits = EXCERPT_LIMITS) {}

  /** Takes a chunk; answers with what of the beginning it has, which may go out at once. */
  push(data: Buffer): LogPiece[] {
    const forHead = this.headOpen ? this.partForHead(data) : 0;
    const out: LogPiece[] = [];
    if (forHead > 0) {
      const piece = this.piece(Buffer.from(data.subarray(0, forHead)));
      this.head.push(piece);
      this.headLength += forHead;
      this.sent = piece.offset + forHead;
      for (const one of packed([piece])) out.push(one);
    }
    if (forHead < data.length) this.pushTail(data.subarray(forHead));
    return out;
  }

  /** Whether the end has something that was not handed out. */
  get behind(): boolean {
    return this.written.bytes > this.sent;
  }

  /** What of the end was not handed out. */
  take(): LogPiece[] {
    this.trim();
    const fresh = this.tail.filter(({ offset }) => offset >= this.sent);
    this.sent = this.written.bytes;
    return packed(fresh);
  }

  /** What is kept at or after an offset. */
  kept(from = 0): LogPiece[] {
    this.trim();
    const all = packed([...this.head, ...this.tail]);
    return all.flatMap(({ offset, line, data }) => {
      if (offset >= from) return [{ offset, line, data }];
      const before = from - offset;
      if (before >= data.length) return [];
      return [{ offset: from, line: line + countLines(data.subarray(0, before)), data: data.subarray(before) }];
    });
  }

  private partForHead(data: Buffer): number {
    const room = this.limits.headBytes - this.headLength;
    if (data.length <= room) return data.length;
    this.headOpen = false;
    // A line that begins here and does not fit stays out whole, unless there is nothing else.
    if (this.afterLine && this.headLength > 0 && !data.subarray(0, room).includes(NEWLINE)) return 0;
    return cutBefore(data, room);
  }

  private pushTail(data: Buffer): void {
    const { tailBytes } = this.limits;
    for (let at = 0; at < data.length; at += tailBytes) {
      const part = data.subarray(at, at + tailBytes);
      // A small part would keep the whole chunk alive that it was read in.
      this.tail.push(this.piece(part.length * 2 < part.buffer.byteLength ? Buffer.from(part) : part));
      this.tailLength += part.length;
      let drop = 0;
      while (this.tailLength - (this.tail[drop]?.data.length ?? 0) >= tailBytes) this.tailLength -= this.tail[drop++]?.data.length ?? 0;
      if (drop > 0) this.tail.splice(0, drop);
    }
  }

  private piece(data: Buffer): CountedPiece {
    const lines = countLines(data);
    const piece = { offset: this.written.bytes, line: this.written.lines, data, lines, beginsLine: this.afterLine };
    this.afterLine = data.at(-1) === NEWLINE;
    this.written.bytes += data.length;
    this.written.lines += lines;
    return piece;
  }

  /** Brings the end below its limit, where something is left out before it, and lets it begin with a line. */
  private trim(): void {
    const [first] = this.tail;
    if (first === undefined || first.offset <= this.headLength) return;
    const over = Math.max(0, this.tailLength - this.limits.tailBytes);
    if (over === 0 && first.beginsLine) return;
    const skip = cutAfter(first.data, over, this.tail.length > 1);
    const rest = first.data.subarray(skip);
    this.tailLength -= skip;
    const skipped = countLines(first.data.subarray(0, skip));
    // Where no line begins in it, it stays cut as it is.
    this.tail[0] = { offset: first.offset + skip, line: first.line + skipped, data: rest, lines: first.lines - skipped, beginsLine: true };
    if (rest.length === 0) this.tail.shift();
  }
}

export function countLines(data: Buffer): number {
  let lines = 0;
  for (let i = 0; i < data.length; i++) if (data[i] === NEWLINE) lines++;
  return lines;
}

/** Where to cut so that at most `limit` bytes are before it: after a line, else between characters. */
function cutBefore(data: Buffer, limit: number): number {
  const newline = limit > 0 ? data.lastIndexOf(NEWLINE, limit - 1) : -1;
  if (newline >= 0) return newline + 1;
  let cut = limit;
  while (cut > 0 && limit - cut < 3 && isContinuation(data[cut])) cut--;
  return cut;
}

/** Where to cut so that at least `least` bytes are before it: after a line where one ends (of all of it where `mayEmpty`), else between characters. */
function cutAfter(data: Buffer, least: number, mayEmpty: boolean): number {
  if (least > 0 && data[least - 1] === NEWLINE) return least;
  const newline = data.indexOf(NEWLINE, least);
  if (newline >= 0 && (mayEmpty || newline + 1 < data.length)) return newline + 1;
  let cut = least;
  while (cut < data.length && cut - least < 3 && isContinuation(data[cut])) cut++;
  return cut;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** The same bytes in as few pieces as their size allows. */
function packed(pieces: readonly LogPiece[]): LogPiece[] {
  const found: LogPiece[] = [];
  let open: LogPiece[] = [];
  let size = 0;
  const close = (): void => {
    const [first] = open;
    if (first !== undefined) found.push({ ...first, data: open.length === 1 ? first.data : Buffer.concat(open.map(({ data }) => data)) });
    open = [];
    size = 0;
  };
  for (const piece of pieces) {
    const last = open.at(-1);
    if (last !== undefined && (last.offset + last.data.length !== piece.offset || size + piece.data.length > PIECE_BYTES)) close();
    let { offset, line, data } = piece;
    while (data.length > PIECE_BYTES) {
      const cut = cutBefore(data, PIECE_BYTES);
      const part = data.subarray(0, cut);
      found.push({ offset, line, data: part });
      offset += cut;
      line += countLines(part);
      data = data.subarray(cut);
    }
    open.push({ offset, line, data });
    size += data.length;
  }
  close();
  return found;
}

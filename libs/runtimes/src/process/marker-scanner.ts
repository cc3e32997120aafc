/**
 * Splits a byte stream at an end marker. Pure.
 *
 * Invariant: whatever way the stream is cut into chunks, the bytes before the marker come out complete, in order and without the marker.
 */
export class MarkerScanner {
  private held: Buffer = Buffer.alloc(0);
  private readonly marker: Buffer;

  constructor(marker: string) {
    this.marker = Buffer.from(marker, 'latin1');
  }

  /** `data` may be passed on; `ended` where the marker was seen (what follows it waits for the next push). */
  push(chunk: Buffer): { data: Buffer; ended: boolean } {
    const all = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    const at = all.indexOf(this.marker);
    if (at >= 0) {
      this.held = all.subarray(at + this.marker.length);
      return { data: all.subarray(0, at), ended: true };
    }
    const keep = this.partialLength(all);
    this.held = all.subarray(all.length - keep);
    return { data: all.subarray(0, all.length - keep), ended: false };
  }

  /** What is held back when the stream ends without a marker. */
  flush(): Buffer {
    const rest = this.held;
    this.held = Buffer.alloc(0);
    return rest;
  }

  /** Length of the longest end of `all` that begins the marker. */
  private partialLength(all: Buffer): number {
    for (let length = Math.min(this.marker.length - 1, all.length); length > 0; length--) {
      if (all.subarray(all.length - length).equals(this.marker.subarray(0, length))) return length;
    }
    return 0;
  }
}

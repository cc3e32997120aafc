/**
 * The engine's multiplexed log stream: frames of an 8-byte header (stream, 0, 0, 0, big-endian length) and data. Pure.
 *
 * Invariant: however the bytes are cut into chunks, the data of each stream come out complete and in order.
 */
export interface LogPiece {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}

const HEADER = 8;

export class FrameReader {
  private header: Buffer = Buffer.alloc(0);
  private stream: LogPiece['stream'] = 'stdout';
  private left = 0;

  push(chunk: Buffer): LogPiece[] {
    const pieces: LogPiece[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.left > 0) {
        const data = rest.subarray(0, this.left);
        this.left -= data.length;
        rest = rest.subarray(data.length);
        pieces.push({ stream: this.stream, data });
        continue;
      }
      const missing = HEADER - this.header.length;
      this.header = Buffer.concat([this.header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.header.length < HEADER) break;
      this.stream = this.header[0] === 2 ? 'stderr' : 'stdout';
      this.left = this.header.readUInt32BE(4);
      this.header = Buffer.alloc(0);
    }
    return pieces;
  }
}

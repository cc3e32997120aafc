/** Input and output objects of runs: texts beside their headers, read in pieces, so that neither Redis nor a reader ever has a long one in hand whole. */
import { readJson } from '@weft/plan';
import type { Redis } from 'ioredis';
import { UnreadableRunError } from './errors.js';
import { objectInHeader } from './header-codec.js';
import type { Keys } from './keys.js';
import { OBJECT_PIECE_BYTES } from './limits.js';
import type { RunObject, StoredObject } from './ports.js';
import { storedText, textOf } from './stored-object.js';

export class RedisRunObjects {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  async open(runId: string, which: RunObject): Promise<StoredObject | undefined> {
    const key = this.keys.object(runId, which);
    const [bytes, first] = await Promise.all([this.redis.strlen(key), this.piece(key, 0)]);
    if (bytes > 0) return { bytes, pieces: this.pieces(runId, which, bytes, first) };
    const json = await this.redis.hget(this.keys.header(runId), 'json');
    const text = json === null ? undefined : objectInHeader(readJson(json) as Record<string, unknown>, which);
    return text === undefined ? undefined : storedText(text);
  }

  /** Undefined: there is none. */
  async text(runId: string, which: RunObject): Promise<string | undefined> {
    const found = await this.open(runId, which);
    return found && textOf(found);
  }

  private async *pieces(runId: string, which: RunObject, bytes: number, first: Buffer): AsyncGenerator<Buffer, void, undefined> {
    let [at, piece] = [0, first];
    while (piece.length > 0) {
      at += piece.length;
      yield piece;
      if (at >= bytes) break;
      piece = await this.piece(this.keys.object(runId, which), at);
    }
    if (at !== bytes) throw new UnreadableRunError(runId, `its ${which} were replaced or removed meanwhile`);
  }

  private piece(key: string, from: number): Promise<Buffer> {
    return this.redis.getrangeBuffer(key, from, from + OBJECT_PIECE_BYTES - 1);
  }
}

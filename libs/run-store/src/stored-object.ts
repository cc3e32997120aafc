/** Objects of runs as texts in hand, for those that are not long and for stores that have them so. */
import { OBJECT_PIECE_BYTES } from './limits.js';
import type { StoredObject } from './ports.js';

export async function textOf({ pieces }: StoredObject): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts).toString();
}

export function storedText(text: string): StoredObject {
  const bytes = Buffer.from(text);
  return {
    bytes: bytes.length,
    pieces: (async function* () {
      for (let at = 0; at < bytes.length; at += OBJECT_PIECE_BYTES) yield bytes.subarray(at, at + OBJECT_PIECE_BYTES);
    })(),
  };
}

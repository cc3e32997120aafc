import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** Up to this size a file is hashed in one synchronous read. */
const SMALL_BYTES = 64 * 1024;

export async function sha1OfFile(path: string): Promise<string> {
  const hash = createHash('sha1');
  if (statSync(path).size <= SMALL_BYTES) hash.update(readFileSync(path));
  else await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

/** The names that may be written below the output folder. Whoever made the output object: the command line looks again before it writes. */
import { shownLine } from '../shown-text.js';

const MAX_NAME_BYTES = 255;
/** How long a name is shown in a message. */
const SHOWN = 80;

/** Why a basename is no plain name; undefined where it is one. */
export function nameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'is not text';
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'means a folder itself';
  if (name.includes('/')) return 'holds a "/"';
  if (name.includes('\0')) return 'holds a NUL';
  // Half a character would be written as another one.
  if (/\p{Surrogate}/u.test(name)) return 'is not proper Unicode';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`;
  return undefined;
}

/** A name in a message. */
export function shownName(name: unknown): string {
  const text = typeof name === 'string' ? name : (JSON.stringify(name) ?? String(name));
  return `"${shownLine(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)}"`;
}

/**
 * Names of files: what a basename may be, wherever it comes from (a job, a document, an expression, a tool's cwl.output.json).
 * Source: CWL v1.2 CommandLineTool §4, "File": the base name must not contain a slash.
 */

/** What file systems take. */
const MAX_NAME_BYTES = 255;

/** Why a text cannot be the name of one entry of a folder; undefined where it can. */
export function nameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'is not text';
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'means a folder itself';
  if (name.includes('/')) return 'holds a "/"';
  if (name.includes('\0')) return 'holds a NUL';
  // Half a character would be written as another one.
  if (/\p{Surrogate}/u.test(name)) return 'is not proper Unicode';
  if (name.length * 3 > MAX_NAME_BYTES && utf8Length(name) > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`;
  return undefined;
}

/** The same for a relative path that has been normalised: of its first name that is none. */
export function pathProblem(path: string): string | undefined {
  for (const name of path.split('/')) {
    const problem = nameProblem(name);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/**
 * Names that Node cannot hold: it reads arguments, the working directory and the environment as UTF-8 and puts U+FFFD in the place of what is
 * none. Such a name leads to another file, or makes one. So a command that was given one is refused, with what it was.
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync, readlinkSync } from 'node:fs';

/** As the system holds them; undefined where it does not tell. */
export interface RawWorld {
  /** Of the command alone, without interpreter and script. */
  words: readonly Buffer[] | undefined;
  directory: Buffer | undefined;
  variables: readonly Buffer[] | undefined;
}

/** Variables that hold paths which weft opens. */
const PATHS = /^(HOME|TMPDIR|WEFT_[A-Z_]*)=/;

/** Why the command cannot be done; undefined: nothing is wrong. */
export function unnameable({ words, directory, variables }: RawWorld): string | undefined {
  const word = words?.findIndex((one) => !isUtf8(one)) ?? -1;
  if (word >= 0) return sentence(`argument ${word + 1} ('${shown(words?.[word])}')`);
  if (directory !== undefined && !isUtf8(directory)) return sentence(`the working directory's name ('${shown(directory)}')`);
  const variable = variables?.find((one) => PATHS.test(one.toString('latin1')) && !isUtf8(one));
  return variable === undefined ? undefined : sentence(`the environment's ${shown(variable)}`);
}

/** Of this process, where the system has /proc. */
export function rawWorld(): RawWorld {
  const inProc = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };
  const list = (name: string): Buffer[] | undefined => inProc(() => split(readFileSync(`/proc/self/${name}`)));
  const all = list('cmdline');
  return {
    words: all?.slice(all.length - process.argv.length + 2),
    directory: inProc(() => readlinkSync('/proc/self/cwd', 'buffer')),
    variables: list('environ'),
  };
}

function split(text: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0, to = text.indexOf(0); to >= 0; from = to + 1, to = text.indexOf(0, from)) parts.push(text.subarray(from, to));
  return parts;
}

function sentence(what: string): string {
  return `${what} is not UTF-8, and weft cannot use files whose path is not: give the file, and every folder above it, a name that is`;
}

/** What is no UTF-8 as a shell's $'…' would have it. */
function shown(bytes: Buffer = Buffer.of()): string {
  return [...bytes]
    .map((byte) => (byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte)))
    .join('');
}

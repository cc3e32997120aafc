/**
 * JSON as the values of CWL need it: whole numbers of up to 64 bits (the type `long`) are read and written digit by digit. In memory a whole number is
 * a `number` where that prints as it was written, else a `bigint`.
 *
 * Invariants:
 *  1. `readJson(writeJson(v))` is `v`, and `readJson(t)` is `JSON.parse(t)` where `t` has no such number. There it costs one look at the text.
 *  2. Every value has one form: a `bigint` is never a number that a `number` holds (`exactInteger`), and never more than 64 bits.
 *  3. No text can be made up that is read as a number and was written as a string: in marked JSON strings that begin with NUL get another one.
 */

const LONG = 2n ** 63n;
/** Digits of the longest, and of the shortest that may be none of a double. */
const MOST_DIGITS = 19;
const SOME_DIGITS = /\d{16}/;
/** A whole number of so many digits, where a value stands. What else it finds costs time alone. */
const LONG_NUMBER = /(?:^|[[:,\s])-?\d{16,}(?![\d.eE])/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const MARK = '\0';

/** What the text of a whole number means; undefined: more than 64 bits, and not what a double prints. */
export function exactInteger(digits: string): number | bigint | undefined {
  const value = Number(digits);
  if (Number.isSafeInteger(value)) return value;
  // Of so many digits not even the nearest double is asked for.
  if (digits.length > 400) return undefined;
  const exact = BigInt(digits);
  if (exact === printed(value)) return value;
  return isLong(exact) ? exact : undefined;
}

/** Whether a whole number has at most 64 bits. A double above 2^53 is what it prints. */
export function isLong(value: number | bigint): boolean {
  const exact = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? 0n : printed(value);
  return exact !== undefined && exact >= -LONG && exact < LONG;
}

/** What JSON and command lines say of a double; undefined: it is no whole number. */
function printed(value: number): bigint | undefined {
  if (!Number.isInteger(value)) return undefined;
  const [digits = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = digits.split('.');
  return BigInt(whole + fraction) * 10n ** BigInt(Math.max(0, Number(exponent) - fraction.length));
}

/** @throws SyntaxError */
export function readJson(text: string): unknown {
  return mayHoldLong(text) ? unmarked(JSON.parse(marked(text))) : JSON.parse(text);
}

/** What a text says that may be none of ours; undefined where it is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}

/** Whether a text may hold a number for which `JSON.parse` is not enough. */
export function mayHoldLong(text: string): boolean {
  return SOME_DIGITS.test(text) && LONG_NUMBER.test(text);
}

/**
 * What comes from outside: numbers that no value of CWL holds are refused, where `JSON.parse` would round them or make `null` of them.
 * @throws SyntaxError; RangeError, a sentence
 */
export function readForeignJson(text: string): unknown {
  const value = readJson(text);
  if (/\d[eE]\+?\d\d\d|\d{19}/.test(text)) refuseNumbers(text);
  return value;
}

/** As JSON.stringify writes plain data. @param space of indentation */
export function writeJson(value: unknown, space?: number): string {
  try {
    // Without more arguments it is twice as fast.
    return space === undefined ? JSON.stringify(value) : JSON.stringify(value, undefined, space);
  } catch (error) {
    if (!isTypeError(error)) throw error;
    return written(value, space === undefined ? undefined : { by: ' '.repeat(space), at: '\n' }) ?? 'null';
  }
}

/** JSON that every reader of JSON reads without loss: `unmarked(JSON.parse(markedJson(v)))` is `v`. */
export function markedJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === 'bigint') return `${MARK}L${member}`;
    return typeof member === 'string' && member.startsWith(MARK) ? MARK + member : member;
  });
}

/** In place, as far as it goes. */
export function unmarked(value: unknown): unknown {
  if (typeof value === 'string') {
    if (!value.startsWith(MARK)) return value;
    return value[1] === 'L' ? (exactInteger(value.slice(2)) ?? Number(value.slice(2))) : value.slice(1);
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) value[index] = unmarked(item);
  } else if (typeof value === 'object' && value !== null) {
    const members = value as Record<string, unknown>;
    for (const key of Object.keys(members)) {
      const member = unmarked(members[key]);
      // Its own already, also where it is called __proto__.
      if (member !== members[key]) Object.defineProperty(members, key, { value: member });
    }
  }
  return value;
}

/** The text with its long numbers as marked strings. */
function marked(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  const put = (to: number, piece: string): void => {
    parts.push(text.slice(copied, to), piece);
    copied = to;
  };
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (text.startsWith('\\u0000', at + 1) && !isKey(text, end)) put(at + 1, '\\u0000');
      at = end;
    } else if (code === MINUS || isDigit(code)) {
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text)?.[0] ?? '-';
      const end = at + number.length;
      if (/^-?\d{16,}$/.test(number) && typeof exactInteger(number) === 'bigint') {
        put(at, `"\\u0000L${number}"`);
        copied = end;
      }
      at = end - 1;
    }
  }
  parts.push(text.slice(copied));
  return parts.join('');
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let next = end + 1;
  while (next < text.length && ' \n\r\t'.includes(text.charAt(next))) next += 1;
  return text[next] === ':';
}

/** @throws RangeError. Strings are passed over. */
function refuseNumbers(text: string): void {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === MINUS || isDigit(code)) {
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text)?.[0] ?? '-';
      const problem = numberProblem(number);
      if (problem !== undefined) throw new RangeError(`the number ${cut(number)} ${problem}`);
      at += number.length - 1;
    }
  }
}

/** What is wrong with a number as written. */
function numberProblem(number: string): string | undefined {
  if (number.length >= MOST_DIGITS && /^-?\d+$/.test(number) && exactInteger(number) === undefined)
    return 'has more than 64 bits: write it as a string, or with a fraction or an exponent if the nearest double will do';
  return Number.isFinite(Number(number)) ? undefined : 'is larger than any double (1.8e308)';
}

function cut(number: string): string {
  return number.length > 60 ? `${number.slice(0, 57)}…` : number;
}

interface Indent {
  by: string;
  at: string;
}

/** Undefined for what JSON leaves out. */
function written(value: unknown, indent: Indent | undefined): string | undefined {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = indent && { by: indent.by, at: indent.at + indent.by };
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const members = Array.isArray(value)
    ? value.map((item) => written(item, inner) ?? 'null')
    : Object.entries(value).flatMap(([key, member]) => {
        const text = written(member, inner);
        return text === undefined ? [] : [`${JSON.stringify(key)}:${inner ? ' ' : ''}${text}`];
      });
  if (members.length === 0) return `${open}${close}`;
  return `${open}${inner?.at ?? ''}${members.join(`,${inner?.at ?? ''}`)}${indent?.at ?? ''}${close}`;
}

/** Structural: an error of the engine may come from another realm. */
function isTypeError(error: unknown): boolean {
  return (error as { name?: unknown } | undefined)?.name === 'TypeError';
}

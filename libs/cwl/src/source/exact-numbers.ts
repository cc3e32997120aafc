/**
 * Whole numbers as written, where a double would print others: a `long` goes to 64 bits (libs/plan, json.ts). A `float` or `double` is the nearest double
 * by definition, also of such digits; what has more than 64 bits is nothing else.
 */
import { exactInteger } from '@weft/plan';

const INTEGER = /^[-+]?\d+$|^0[xo][0-9a-fA-F]+$/;
/** Nobody reads more of them. */
const SHOWN = 40;

/** The digits, in decimal, where `value` would print others; undefined otherwise. */
export function lostDigits(source: string, value: number): string | undefined {
  if (Number.isSafeInteger(value) || source.length > 400 || !INTEGER.test(source)) return undefined;
  const digits = String(BigInt(source));
  return exactInteger(digits) === value ? undefined : digits;
}

/** The value of digits that were lost; undefined: they have more than 64 bits. */
export function exactOf(digits: string): bigint | undefined {
  const value = exactInteger(digits);
  return typeof value === 'bigint' ? value : undefined;
}

export function tooLongMessage(digits: string): string {
  return `the integer ${digits.length > SHOWN ? `${digits.slice(0, SHOWN)}…` : digits} has more than 64 bits, which no type of CWL holds`;
}

export const TOO_LONG_HINT = 'make it a string: type string, and the value in quotes';

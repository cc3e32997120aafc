/**
 * Numbers and JSON as CWL wants them in command lines and generated files: never an exponent, never a rounded digit.
 */
import type { CwlValue } from '@weft/plan';
import { isObject } from '@weft/plan';

/** Decimal digits of a finite number without exponent: 1e-5 → "0.00001", 1e21 → "1000000000000000000000". Zero has no sign. */
export function numberText(value: number | bigint): string {
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** JSON with sorted keys, a space after ',' and ':', numbers without exponent: what the conformance suite expects of serialised Dirent entries. */
export function spacedJson(value: CwlValue): string {
  if (typeof value === 'number' || typeof value === 'bigint') return numberText(value);
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}: ${spacedJson(member)}`);
  }
  return `{${members.join(', ')}}`;
}

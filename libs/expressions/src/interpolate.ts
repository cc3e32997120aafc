/**
 * Values as text: within other text, as words of a command line and as files. Source: CWL v1.2 CommandLineTool §3.5: a string is inserted as it is, anything
 * else as JSON.
 */
import { isObject, type CwlValue } from '@weft/plan';

/** A number in decimal notation without exponent, as tools that do not know "1e-05" want it. Exact: it reads back as the same number. */
export function plainNumber(value: number | bigint): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = '', first = '', rest = '', exponent = ''] = match;
  const digits = first + rest;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length
    ? `${sign}${digits}${'0'.repeat(point - digits.length)}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

export function interpolatedText(value: CwlValue): string {
  return typeof value === 'string' ? value : spacedJson(value);
}

/**
 * JSON as the reference implementation writes it into text: members by name, a space after ',' and ':'. The specification leaves
 * both open, and published tools (and the v1.3 suite) take such text apart with sed.
 */
export function spacedJson(value: CwlValue): string {
  if (typeof value === 'number' || typeof value === 'bigint') return plainNumber(value);
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  return `{${names
    .sort()
    .map((name) => `${JSON.stringify(name)}: ${spacedJson(value[name] ?? null)}`)
    .join(', ')}}`;
}

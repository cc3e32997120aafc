/** How long a value is as JSON, without making its text. */
import type { CwlValue } from './values.js';

export interface JsonLimits {
  /** Of its text. */
  chars: number;
  values: number;
}

/** Whether the value's JSON has more than that. Takes time in proportion to the limits at most, however large the value is, and however deep. */
export function isLongJson(value: CwlValue | undefined, limits: JsonLimits): boolean {
  let { chars, values } = limits;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    values -= 1;
    if (typeof next === 'string') chars -= textLength(next, chars);
    else if (Array.isArray(next)) {
      if (next.length > values || next.length > chars) return true;
      chars -= 2 + Math.max(0, next.length - 1);
      for (const item of next) open.push(item);
    } else if (typeof next === 'object' && next !== null) {
      const members = Object.entries(next);
      chars -= 2 + Math.max(0, members.length - 1);
      for (const [name, member] of members) {
        chars -= textLength(name, chars) + 1;
        open.push(member);
      }
      if (open.length > values) return true;
    } else chars -= next === undefined || Number.isNaN(next) ? 4 : String(next).length;
    if (chars < 0 || values < 0) return true;
  }
  return false;
}

/** Controls, what JSON escapes, and what may be half a character. */
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;

/** As JSON, with its quotes; as soon as that is more than `enough`, no more is looked at. */
function textLength(text: string, enough: number): number {
  let length = text.length + 2;
  if (!ESCAPED.test(text)) return length;
  for (let at = 0; at < text.length && length <= enough; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22 || code === 0x5c) length += 1;
    else if (code < 0x20 || (code >= 0xd800 && code <= 0xdfff)) length += 5;
  }
  return length;
}

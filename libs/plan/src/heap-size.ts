/** How much memory a value takes. */

/** What V8 takes on a machine of 64 bits: a header and a word for each member; of an object's members the names, too, as of a dictionary. */
const ARRAY_BYTES = 32;
const OBJECT_BYTES = 56;
const STRING_BYTES = 24;
const BOXED_BYTES = 16;
const ITEM_BYTES = 8;
const MEMBER_BYTES = 24;
const WIDE = /[^\0-\xff]/;

/** Bytes on the heap, about, and rather too many: what a value shares with others is counted with each. In time that grows with it, however deep. */
export function heapBytes(value: unknown): number {
  let bytes = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'string') bytes += stringBytes(next);
    else if (typeof next === 'number') bytes += Number.isInteger(next) ? 0 : BOXED_BYTES;
    else if (typeof next === 'bigint') bytes += BOXED_BYTES + ITEM_BYTES;
    else if (Array.isArray(next)) {
      bytes += ARRAY_BYTES + ITEM_BYTES * next.length;
      for (const item of next) open.push(item);
    } else if (typeof next === 'object' && next !== null) {
      bytes += OBJECT_BYTES;
      for (const [name, member] of Object.entries(next)) {
        bytes += MEMBER_BYTES + name.length;
        open.push(member);
      }
    }
  }
  return bytes;
}

function stringBytes(text: string): number {
  return STRING_BYTES + text.length * (WIDE.test(text) ? 2 : 1);
}

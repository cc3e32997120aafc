/**
 * How large the sandboxes' disk is to admission. Pure.
 *
 * What is free now is all that there is, plus what the admitted tasks have written of what they reserved, which nobody counts: something
 * between nothing and all of it. So the truth lies between `free` and `free + reserved`; with nothing reserved it is known exactly, and is
 * kept from then on as far as later looks do not disprove it.
 */
export function diskCapacity(known: number, freeBytes: number, reservedBytes: number): number {
  return Math.min(Math.max(known, freeBytes), freeBytes + reservedBytes);
}

/**
 * A copy of a WASM memory that can be put back.
 *
 * The memory of the QuickJS build is: static data, a stack of several MiB that is empty between calls, the heap, and space never used.
 * Only data and heap are copied: what lies below the stack pointer and above the heap's end at the time of the image is never
 * read before it is written (the allocator clears what it hands out as cleared; security.spec.ts checks that).
 */

/** A run of zeros longer than this, between data and heap, is the empty stack. */
const STACK_RUN_BYTES = 1024 * 1024;
/** Zeros are looked for this many bytes at a time: comparing memory is ten times faster than reading words. */
const PAGE_BYTES = 4096;
const ZEROS = new Uint8Array(PAGE_BYTES);

/** The part of `WebAssembly.Memory` that is used here (the project's type libraries do not know it). */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export interface MemoryImage {
  restore(): void;
  /** Also clears what later scripts left above the heap's end, so that an image taken next does not contain it. */
  restoreCleared(): void;
}

export function takeImage(memory: WasmMemory): MemoryImage {
  const parts = usedParts(new Uint8Array(memory.buffer));
  const restore = (bytes: Uint8Array): void => {
    for (const part of parts) bytes.set(part.bytes, part.offset);
  };
  return {
    restore: () => restore(new Uint8Array(memory.buffer)),
    restoreCleared() {
      const bytes = new Uint8Array(memory.buffer).fill(0);
      restore(bytes);
    },
  };
}

function usedParts(bytes: Uint8Array): { offset: number; bytes: Uint8Array }[] {
  let stack: { from: number; to: number } | undefined;
  let usedUpTo = 0;
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    const page = bytes.subarray(at, at + PAGE_BYTES);
    if (Buffer.compare(page, page.length === PAGE_BYTES ? ZEROS : ZEROS.subarray(0, page.length)) === 0) continue;
    if (stack === undefined && at - usedUpTo > STACK_RUN_BYTES) stack = { from: usedUpTo, to: at };
    usedUpTo = at + page.length;
  }
  const cut = (from: number, to: number): { offset: number; bytes: Uint8Array } => ({ offset: from, bytes: bytes.slice(from, to) });
  return stack === undefined ? [cut(0, usedUpTo)] : [cut(0, stack.from), cut(stack.to, usedUpTo)];
}

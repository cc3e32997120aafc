/**
 * A copy of a WASM memory that can be put back.
 *
 * The memory of the QuickJS build is: static data, a stack of several MiB that is empty between calls, the heap, and space never used.
 * Only data and heap are copied: what lies below the stack pointer and above the heap's end at the time of the image is never
 * read before it is written (the allocator clears what it hands out as cleared; sandbox.spec.ts checks that).
 */

/** A run of zeros longer than this, between data and heap, is the empty stack. */
const STACK_RUN_BYTES = 1024 * 1024;

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
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  let stack: { from: number; to: number } | undefined;
  let lastUsed = -1;
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === 0) continue;
    if (stack === undefined && (at - lastUsed) * 4 > STACK_RUN_BYTES) stack = { from: lastUsed + 1, to: at };
    lastUsed = at;
  }
  const cut = (from: number, to: number): { offset: number; bytes: Uint8Array } => ({
    offset: from * 4,
    bytes: bytes.slice(from * 4, to * 4),
  });
  return stack === undefined ? [cut(0, lastUsed + 1)] : [cut(0, stack.from), cut(stack.to, lastUsed + 1)];
}

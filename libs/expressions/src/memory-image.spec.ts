/** An image puts back what was in the memory, and only leaves out what it may: the empty stack. */
import { takeImage } from './memory-image.js';

const MIB = 1024 * 1024;
const memoryOf = (size: number): { buffer: ArrayBuffer } => ({ buffer: new ArrayBuffer(size) });

test('data and heap come back; the space never used is left alone, or cleared', () => {
  const memory = memoryOf(8 * MIB);
  const bytes = new Uint8Array(memory.buffer);
  const places = [0, 5000, 6 * MIB, 6 * MIB + 4095, 6 * MIB + 70_001];
  places.forEach((at, i) => (bytes[at] = i + 1));
  const before = bytes.slice();
  const image = takeImage(memory);
  const beyond = 7 * MIB;
  [...places, 5001, 6 * MIB + 1, beyond].forEach((at) => (bytes[at] = 99));
  image.restore();
  expect(bytes[beyond]).toBe(99);
  bytes[beyond] = 0;
  expect(Buffer.compare(bytes, before)).toBe(0);
  bytes[beyond] = 99;
  image.restoreCleared();
  expect(Buffer.compare(bytes, before)).toBe(0);
});

test.each([1, 4095, 4097, 70_000])('a memory of %d bytes', (size) => {
  const memory = memoryOf(size);
  const bytes = new Uint8Array(memory.buffer);
  bytes[size - 1] = 7;
  const image = takeImage(memory);
  bytes.fill(1);
  image.restoreCleared();
  expect([bytes[0], bytes[size - 1]]).toEqual([size === 1 ? 7 : 0, 7]);
});

/**
 * What of a disk is kept free for the stack, and what follows from how full it is. Pure.
 *
 *   free ≥ reserve               tasks begin
 *   reserve > free ≥ reserve/2   none begins; those that run go on
 *   reserve/2 > free             the task that holds the most is ended; one that ends by itself has failed for it
 */

export interface Space {
  freeBytes: number;
  totalBytes: number;
}

/** Of a disk whose operator has not said how much. */
const SHARE = 0.1;
const MOST_BYTES = 256 * 1024 ** 2;

/** Less than this is not what fills a disk. */
export const WORTH_BYTES = 1024 ** 2;

/** A disk that is written to at this speed is looked at before it is full; bytes in a millisecond. */
const SPEED = (2 * 1024 ** 3) / 1000;
const SHORTEST_MS = 20;
const LONGEST_MS = 1_000;

export function reserveOf({ totalBytes }: Space, asked: number | undefined): number {
  return asked ?? Math.min(MOST_BYTES, totalBytes * SHARE);
}

export function isShort({ freeBytes }: Space, reserve: number): boolean {
  return freeBytes < reserve;
}

export function isNearlyFull({ freeBytes }: Space, reserve: number): boolean {
  return freeBytes < reserve / 2;
}

/** Milliseconds until the disk is to be looked at again. */
export function nextLookMs({ freeBytes }: Space, reserve: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (freeBytes - reserve) / SPEED));
}

export interface Holding {
  key: string;
  heldBytes: number;
}

/** Whom to end; undefined: no task holds so much that it would help. */
export function greediest(all: readonly Holding[]): Holding | undefined {
  const [first] = [...all].sort((a, b) => b.heldBytes - a.heldBytes);
  return first !== undefined && first.heldBytes >= WORTH_BYTES ? first : undefined;
}

/** Whether another try may do better: what it took was its own, or was taken by others. */
export function mayPass({ heldBytes }: Holding, reservedBytes: number): boolean {
  return heldBytes <= Math.max(WORTH_BYTES, reservedBytes);
}

export const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

export function spaceWords(path: string, { freeBytes, totalBytes }: Space): string {
  return `the disk of ${path} has ${mebibytes(freeBytes)} of ${mebibytes(totalBytes)} free`;
}

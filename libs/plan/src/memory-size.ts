/**
 * A size as container engines write it: `64m`. Source: the `shmSize` of cwltool's ShmSize, which is that of `docker run --shm-size`.
 */

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

export const MEMORY_SIZE_SAYS = 'a whole number from 1 with b, k, m or g behind it, as in 512m';

/** Bytes; undefined where the text is none. */
export function memorySize(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,15})(b|[kmg]b?)?$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * (UNITS[unit.charAt(0).toLowerCase()] ?? NaN);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

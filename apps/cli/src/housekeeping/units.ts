/** Sizes and ages as people write and read them. */
import { InvalidArgumentError } from 'commander';

const SIZES: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };
const AGES_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** "10G", "512 MiB", "1.5g": powers of 1024, in bytes. */
export function parseSize(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  const factor = SIZES[unit.toUpperCase()];
  if (number === '' || factor === undefined) throw new InvalidArgumentError('a size such as 500M or 10G.');
  return Math.floor(Number(number) * factor);
}

/** "30d", "12h", in milliseconds. */
export function parseAge(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text.trim()) ?? [];
  const factor = AGES_MS[unit];
  if (factor === undefined) throw new InvalidArgumentError('an age such as 12h, 30d or 8w.');
  return Number(number) * factor;
}

export function humanSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

import type { run } from '@weft/contracts';
import { shownLine } from './shown-text.js';

/** Tables for people: columns as wide as their widest cell, the last one as long as it is. */
export function table(header: string[], cells: string[][]): string {
  const rows = cells.map((row) => row.map(shownLine));
  const widths = header.map((title, column) => rows.reduce((most, row) => Math.max(most, (row[column] ?? '').length), title.length));
  const line = (row: string[]): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
  return [header, ...rows].map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** "12 s", "3 min 20 s", "2 h 5 min". */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function between(start: Date | undefined, end: Date | undefined): string {
  return start === undefined ? '' : duration((end ?? new Date()).getTime() - start.getTime());
}

/** Local time to the second. */
export function localTime(at: Date | undefined): string {
  if (at === undefined) return '';
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Of a run: since it was begun, or begun again. */
export function took({ startedAt, retriedAt, finishedAt }: Pick<run.Run, 'startedAt' | 'retriedAt' | 'finishedAt'>): string {
  return between(startedAt && (retriedAt ?? startedAt), finishedAt);
}

/**
 * Where a page of runs ends: submission time and run id as one text that sorts like the list, base64url for the outside.
 */
import { InvalidRequestError } from './errors.js';

const TIME_DIGITS = 15;

/** Sorts by time, then by id, compared byte by byte. */
export function positionOf(run: { submittedAtMs: number; runId: string }): string {
  if (!Number.isSafeInteger(run.submittedAtMs) || run.submittedAtMs < 0)
    throw new InvalidRequestError('submittedAtMs must be a whole number');
  return `${String(run.submittedAtMs).padStart(TIME_DIGITS, '0')}:${run.runId}`;
}

export function runIdAt(position: string): string {
  return position.slice(TIME_DIGITS + 1);
}

export function timeAt(position: string): number {
  return Number(position.slice(0, TIME_DIGITS));
}

/** Calendar month (UTC) as yyyymm. */
export function monthAt(position: string): string {
  return new Date(timeAt(position)).toISOString().slice(0, 7).replace('-', '');
}

export function encodePageToken(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** Throws InvalidRequestError for a text that encodePageToken did not make. */
export function decodePageToken(token: string): string {
  const position = Buffer.from(token, 'base64url').toString();
  // 8.64e15 is the last millisecond that Date knows.
  if (!/^\d{15}:./s.test(position) || encodePageToken(position) !== token)
    throw new InvalidRequestError('this page token is not one of ours');
  return position;
}

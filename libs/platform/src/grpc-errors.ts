/**
 * ServiceError ⇄ gRPC status, both directions, in one place. Diagnostics travel in the trailer `weft-diagnostics-bin`, when to come again
 * in `retry-after-ms`.
 *
 * Invariants: what is sent fits into the 64 KiB of headers that an HTTP/2 peer takes; what was cut says so.
 */
import { Metadata, status } from '@grpc/grpc-js';
import { run, scheduler } from '@weft/contracts';
import { SERVICE_ERROR_CODES, ServiceError, type ServiceErrorCode, toServiceError } from './service-error.js';

export const DIAGNOSTICS_TRAILER = 'weft-diagnostics-bin';
/** Whole milliseconds after which the call may succeed. */
export const RETRY_TRAILER = 'retry-after-ms';

/** On every error that a service of ours answers with: what lacks it comes from the transport. */
const ANSWERED_TRAILER = 'weft-answered';

/** Bytes; base64 adds a third, and details are percent-encoded (up to three times their size). */
const MAX_DIAGNOSTICS_BYTES = 24 * 1024;
const MAX_DETAILS_CHARS = 4 * 1024;

export interface GrpcError {
  /** Numeric gRPC status. */
  code: number;
  details: string;
  metadata: Metadata;
}

/** Any thrown value as what grpc-js takes for a failed call. */
export function toGrpcError(error: unknown): GrpcError {
  const problem = isGrpcError(error) ? fromGrpcError(error) : toServiceError(error);
  const metadata = new Metadata();
  metadata.set(ANSWERED_TRAILER, '1');
  if (problem.retryAfterMs !== undefined) metadata.set(RETRY_TRAILER, String(Math.ceil(problem.retryAfterMs)));
  if (problem.diagnostics?.length) metadata.set(DIAGNOSTICS_TRAILER, encodeDiagnostics(problem.diagnostics));
  return { code: status[problem.code], details: shorten(problem.message), metadata };
}

/** What a gRPC call was rejected with, as a ServiceError. Anything that is no gRPC error goes through toServiceError. */
export function fromGrpcError(error: unknown): ServiceError {
  if (!isGrpcError(error)) return toServiceError(error);
  const code = codeOf(error.code);
  const encoded = error.metadata?.get(DIAGNOSTICS_TRAILER)[0];
  const options = { cause: error, retryAfterMs: retryAfterOf(error.metadata) };
  if (!Buffer.isBuffer(encoded)) return new ServiceError(code, error.details, undefined, options);
  try {
    return new ServiceError(code, error.details, scheduler.Diagnostics.decode(encoded).diagnostics, options);
  } catch {
    return new ServiceError(code, `${error.details} (the diagnostics sent with it cannot be decoded)`, undefined, options);
  }
}

/** Whether a service of ours answered with this error. */
export function isFromPeer(error: unknown): boolean {
  return isGrpcError(error) && (error.metadata?.get(ANSWERED_TRAILER).length ?? 0) > 0;
}

function retryAfterOf(metadata: Metadata | undefined): number | undefined {
  const value = metadata?.get(RETRY_TRAILER)[0];
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

function codeOf(numeric: number): ServiceErrorCode {
  return SERVICE_ERROR_CODES.find((name) => status[name] === numeric) ?? 'INTERNAL';
}

function isGrpcError(error: unknown): error is { code: number; details: string; metadata?: Metadata } {
  if (typeof error !== 'object' || error === null) return false;
  const { code, details } = error as Record<string, unknown>;
  return typeof code === 'number' && code > 0 && code <= status.UNAUTHENTICATED && typeof details === 'string';
}

function encodeDiagnostics(diagnostics: run.Diagnostic[]): Buffer {
  const kept: run.Diagnostic[] = [];
  let bytes = 0;
  for (const diagnostic of diagnostics) {
    bytes += run.Diagnostic.encode(diagnostic).finish().length + 4;
    if (bytes > MAX_DIAGNOSTICS_BYTES) break;
    kept.push(diagnostic);
  }
  const left = diagnostics.length - kept.length;
  if (left > 0) {
    const note = { severity: run.Severity.NOTE, code: 'more-diagnostics', message: `${left} more not shown` };
    kept.push(run.Diagnostic.fromPartial(note));
  }
  return Buffer.from(scheduler.Diagnostics.encode({ diagnostics: kept }).finish());
}

function shorten(message: string): string {
  return message.length <= MAX_DETAILS_CHARS ? message : `${message.slice(0, MAX_DETAILS_CHARS)} … (cut)`;
}

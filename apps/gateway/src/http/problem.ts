/**
 * An answer of failure: `{ error, code, diagnostics? }`, with its status and the headers that go with it. Every failure over HTTP has this
 * shape, whoever finds it: our own code, Fastify, or Node's parser.
 */
import type { ServiceErrorCode } from '@weft/platform';
import type { ErrorView } from '../runs/runs.schemas.js';

/** Codes that no service behind the gateway gives: what is wrong is the request as HTTP. */
export type HttpCode =
  | 'BODY_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_ACCEPTABLE'
  | 'REQUEST_TIMEOUT'
  | 'URI_TOO_LONG'
  | 'HEADERS_TOO_LARGE'
  | 'EXPECTATION_FAILED';

export interface HttpProblem {
  status: number;
  body: ErrorView;
  headers: Record<string, string>;
}

/** Thrown where a request is read; the errors filter answers with it as it is. */
export class RequestProblem extends Error implements HttpProblem {
  override readonly name = 'RequestProblem';
  readonly body: ErrorView;

  constructor(
    readonly status: number,
    code: HttpCode | ServiceErrorCode,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
    this.body = { error: message, code };
  }

  /** Fastify looks at this one. */
  get statusCode(): number {
    return this.status;
  }
}

/** By shape: errors come from other realms. */
export function isRequestProblem(error: unknown): error is RequestProblem {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'RequestProblem';
}

export const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Every failure of an HTTP request → `{ error, code, diagnostics? }` with the right status; the one place where that is decided.
 *
 * Invariants: what we did not foresee is logged with its stack and answered without it.
 */
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { httpStatusOf, isServiceError, type Logger, type ServiceErrorCode } from '@weft/platform';
import { diagnosticView } from '../runs/run.view.js';
import type { ErrorView } from '../runs/runs.schemas.js';

/** Bytes of a request body; more is refused with 413. */
export const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

export interface HttpProblem {
  status: number;
  body: ErrorView;
  /** Header Retry-After, whole seconds. */
  retryAfterS?: number;
}

@Catch()
export class ErrorsFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = problemOf(error, request);
    if (problem.status >= 500) this.logger.error({ err: error, request_id: request.id, status: problem.status }, 'request failed');
    if (reply.sent) return;
    if (problem.retryAfterS !== undefined) void reply.header('retry-after', problem.retryAfterS);
    void reply.code(problem.status).type('application/json; charset=utf-8').send(JSON.stringify(problem.body));
  }
}

function problemOf(error: unknown, request: Pick<FastifyRequest, 'id' | 'method' | 'url'>): HttpProblem {
  if (isServiceError(error)) {
    const body: ErrorView = { error: error.message, code: error.code };
    if (error.diagnostics?.length) body.diagnostics = error.diagnostics.map(diagnosticView);
    const retryAfterS = error.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(error.retryAfterMs / 1000));
    return { status: httpStatusOf(error.code), body, retryAfterS };
  }
  const { status, message } = shapeOf(error);
  if (status === 413) {
    return problem(413, `the request body is larger than ${BODY_LIMIT_BYTES / 1024 / 1024} MiB`, 'BODY_TOO_LARGE');
  }
  if (status === 415) return problem(415, 'send JSON with Content-Type: application/json', 'UNSUPPORTED_MEDIA_TYPE');
  if (status === 404) return problem(404, `no route ${request.method} ${pathOf(request.url)}; /docs lists them`, 'NOT_FOUND');
  if (status !== undefined && status >= 400 && status < 500) return problem(status, message, 'INVALID_ARGUMENT');
  return problem(500, `internal error (request ${request.id})`, 'INTERNAL');
}

function problem(status: number, error: string, code: ServiceErrorCode | 'BODY_TOO_LARGE' | 'UNSUPPORTED_MEDIA_TYPE'): HttpProblem {
  return { status, body: { error, code } };
}

/** The status of a Fastify error or a Nest HttpException, by shape. */
function shapeOf(error: unknown): { status?: number; message: string } {
  if (typeof error !== 'object' || error === null) return { message: String(error) };
  const { statusCode, status, message } = error as Record<string, unknown>;
  const numeric = [statusCode, status].find((value) => typeof value === 'number');
  return { status: numeric, message: String(message) };
}

const pathOf = (url: string): string => url.split('?')[0] ?? url;

/**
 * Every failure of an HTTP request → `{ error, code, diagnostics? }` with the right status; the one place where that is decided.
 *
 * Invariants: what we did not foresee is logged with its stack and answered without it.
 */
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { httpStatusOf, isServiceError, type Logger, type ServiceError, type ServiceErrorCode } from '@weft/platform';
import { diagnosticView } from '../runs/run.view.js';
import type { ErrorView } from '../runs/runs.schemas.js';
import { type HttpCode, type HttpProblem, isRequestProblem, JSON_TYPE } from './problem.js';
import { BODY_LIMIT_BYTES } from './body/request-body.js';
import { pathOf } from './route-rules.js';
import type { RouteTable } from './route-table.js';

@Catch()
export class ErrorsFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly routes: RouteTable,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = this.problemOf(error, request);
    if (problem.status >= 500) this.logger.error({ err: error, request_id: request.id, status: problem.status }, 'request failed');
    if (reply.sent) return;
    void reply.headers(problem.headers).code(problem.status).type(JSON_TYPE).send(JSON.stringify(problem.body));
  }

  private problemOf(error: unknown, request: Pick<FastifyRequest, 'id' | 'method' | 'url'>): HttpProblem {
    if (isRequestProblem(error)) return error;
    if (isServiceError(error)) return serviceProblem(error);
    const { status, message } = shapeOf(error);
    if (status === 413) return problem(413, `the request body is larger than ${BODY_LIMIT_BYTES / 1024 / 1024} MiB`, 'BODY_TOO_LARGE');
    if (status === 415) return problem(415, 'send JSON with Content-Type: application/json', 'UNSUPPORTED_MEDIA_TYPE');
    if (status === 404) return this.noRoute(request);
    if (status !== undefined && status >= 400 && status < 500) return problem(status, message, 'INVALID_ARGUMENT');
    return problem(500, `internal error (request ${request.id})`, 'INTERNAL');
  }

  /** A path that is there under other methods is told from one that is not. */
  private noRoute({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): HttpProblem {
    const path = pathOf(url);
    const allowed = this.routes.methodsAt(path);
    if (allowed.length === 0) return problem(404, `no route ${method} ${path}; /docs lists them`, 'NOT_FOUND');
    const allow = allowed.join(', ');
    return problem(405, `${path} does not take ${method}; it takes ${allow}`, 'METHOD_NOT_ALLOWED', { allow });
  }
}

function serviceProblem(error: ServiceError): HttpProblem {
  const body: ErrorView = { error: error.message, code: error.code };
  if (error.diagnostics?.length) body.diagnostics = error.diagnostics.map(diagnosticView);
  const headers: Record<string, string> =
    error.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))) };
  return { status: httpStatusOf(error.code), body, headers };
}

function problem(status: number, error: string, code: ServiceErrorCode | HttpCode, headers: Record<string, string> = {}): HttpProblem {
  return { status, body: { error, code }, headers };
}

/** The status of a Fastify error or a Nest HttpException, by shape. */
function shapeOf(error: unknown): { status?: number; message: string } {
  if (typeof error !== 'object' || error === null) return { message: String(error) };
  const { statusCode, status, message } = error as Record<string, unknown>;
  const numeric = [statusCode, status].find((value) => typeof value === 'number');
  return { status: numeric, message: String(message) };
}

/**
 * Nest's HTTP controllers: any exception → status and problem body `{ error, code, diagnostics? }`, once, for every route.
 *
 * Invariants: what is not ours (a bug) is logged with its stack and answered without its text.
 */
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { run } from '@weft/contracts';
import { fromGrpcError } from '../grpc-errors.js';
import type { Logger } from '../logger.js';
import { type ServiceErrorCode, httpStatusOf, isServiceError } from '../service-error.js';

export interface HttpProblem {
  error: string;
  code: ServiceErrorCode;
  diagnostics?: run.Diagnostic[];
}

@Catch()
export class HttpErrorFilter implements ExceptionFilter {
  constructor(
    private readonly adapterHost: Pick<HttpAdapterHost, 'httpAdapter'>,
    private readonly logger?: Pick<Logger, 'error'>,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const { status, body } = httpProblemOf(exception);
    if (status >= 500 && status !== 501) this.logger?.error({ err: exception }, 'a request failed unexpectedly');
    const response: unknown = host.switchToHttp().getResponse();
    const adapter = this.adapterHost.httpAdapter;
    if (adapter.isHeadersSent(response)) adapter.end(response);
    else adapter.reply(response, body, status);
  }
}

/** Exceptions of Nest and Fastify keep their status; ServiceErrors and gRPC errors are mapped; everything else is a bug: 500. */
export function httpProblemOf(exception: unknown): { status: number; body: HttpProblem } {
  const framework = frameworkError(exception);
  if (framework) return { status: framework.status, body: { error: framework.message, code: codeOfStatus(framework.status) } };
  const problem = fromGrpcError(exception);
  // fromGrpcError wraps what it does not know and names it as the cause; a status from another service is no such stranger.
  const ours = isServiceError(exception) || problem.code !== 'INTERNAL' || hasDetails(exception);
  const body: HttpProblem = { error: ours ? problem.message : 'internal error', code: problem.code };
  if (problem.diagnostics?.length) body.diagnostics = problem.diagnostics;
  return { status: httpStatusOf(problem.code), body };
}

const CODE_OF_STATUS: Readonly<Record<number, ServiceErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  413: 'RESOURCE_EXHAUSTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

function codeOfStatus(status: number): ServiceErrorCode {
  return CODE_OF_STATUS[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
}

/** Nest's HttpException (`getStatus`, `getResponse`) or a Fastify error (`statusCode`), by shape. */
function frameworkError(exception: unknown): { status: number; message: string } | undefined {
  if (typeof exception !== 'object' || exception === null || isServiceError(exception)) return undefined;
  const shape = exception as { getStatus?: unknown; getResponse?: unknown; statusCode?: unknown; message?: unknown };
  const text = typeof shape.message === 'string' ? shape.message : 'error';
  if (typeof shape.getStatus === 'function' && typeof shape.getResponse === 'function') {
    const status: unknown = shape.getStatus.call(exception);
    const response: unknown = shape.getResponse.call(exception);
    if (typeof status === 'number') return { status, message: messageOf(response) ?? text };
  }
  const { statusCode } = shape;
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode >= 500) return undefined;
  return { status: statusCode, message: text };
}

/** Validation pipes answer with a list of messages. */
function messageOf(response: unknown): string | undefined {
  if (typeof response === 'string') return response;
  const message = typeof response === 'object' && response !== null ? (response as { message?: unknown }).message : undefined;
  if (Array.isArray(message)) return message.join('; ');
  return typeof message === 'string' ? message : undefined;
}

function hasDetails(exception: unknown): boolean {
  return typeof exception === 'object' && exception !== null && typeof (exception as { details?: unknown }).details === 'string';
}

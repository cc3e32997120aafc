/** The mappings for Nest: exception → HTTP problem, exception → gRPC status, the secret guard. */
import { Metadata, status } from '@grpc/grpc-js';
import { type ArgumentsHost, BadRequestException, type ExecutionContext, NotFoundException } from '@nestjs/common';
import { run } from '@weft/contracts';
import { firstValueFrom } from 'rxjs';
import { ServiceError, toGrpcError } from '../index.js';
import { GrpcErrorFilter, HttpErrorFilter, ServiceSecretGuard, httpProblemOf } from './index.js';

const diagnostics = [run.Diagnostic.fromPartial({ code: 'unknown-field', line: 3 })];

describe('httpProblemOf', () => {
  it.each([
    ['a ServiceError', new ServiceError('NOT_FOUND', 'no such run'), 404, { error: 'no such run', code: 'NOT_FOUND' }],
    [
      'one with diagnostics',
      new ServiceError('INVALID_ARGUMENT', 'bad', diagnostics),
      400,
      { error: 'bad', code: 'INVALID_ARGUMENT', diagnostics },
    ],
    ['a gRPC error', toGrpcError(new ServiceError('UNAVAILABLE', 'down')), 503, { error: 'down', code: 'UNAVAILABLE' }],
    ['INTERNAL on purpose', new ServiceError('INTERNAL', 'broken plan'), 500, { error: 'broken plan', code: 'INTERNAL' }],
    ['a bug', new TypeError('secret path'), 500, { error: 'internal error', code: 'INTERNAL' }],
    ['a thrown string', 'secret path', 500, { error: 'internal error', code: 'INTERNAL' }],
    ["Nest's own 404", new NotFoundException('Cannot GET /x'), 404, { error: 'Cannot GET /x', code: 'NOT_FOUND' }],
    ['validation messages', new BadRequestException(['a', 'b']), 400, { error: 'a; b', code: 'INVALID_ARGUMENT' }],
    [
      'a body too large',
      Object.assign(new Error('too large'), { statusCode: 413 }),
      413,
      { error: 'too large', code: 'RESOURCE_EXHAUSTED' },
    ],
  ])('maps %s', (_what, exception, httpStatus, body) => {
    expect(httpProblemOf(exception)).toEqual({ status: httpStatus, body });
  });
});

describe('HttpErrorFilter', () => {
  function run(exception: unknown, headersSent: boolean): { replies: unknown[]; logged: unknown[] } {
    const replies: unknown[] = [];
    const logged: unknown[] = [];
    const httpAdapter = {
      isHeadersSent: () => headersSent,
      end: () => replies.push('ended'),
      reply: (_response: unknown, body: unknown, code: number) => replies.push([code, body]),
    };
    const filter = new HttpErrorFilter({ httpAdapter } as never, { error: (...args: unknown[]) => logged.push(args) });
    filter.catch(exception, { switchToHttp: () => ({ getResponse: () => ({}) }) } as ArgumentsHost);
    return { replies, logged };
  }

  it('replies once and logs only what is unexpected', () => {
    expect(run(new ServiceError('NOT_FOUND', 'x'), false)).toEqual({ replies: [[404, { error: 'x', code: 'NOT_FOUND' }]], logged: [] });
    expect(run(new Error('x'), false).logged).toHaveLength(1);
    expect(run(new Error('x'), true).replies).toEqual(['ended']);
  });
});

describe('GrpcErrorFilter', () => {
  it('gives a gRPC status', async () => {
    const thrown = firstValueFrom(new GrpcErrorFilter().catch(new ServiceError('NOT_FOUND', 'no such run')));
    await expect(thrown).rejects.toMatchObject({ code: status.NOT_FOUND, details: 'no such run' });
  });
});

describe('ServiceSecretGuard', () => {
  const guard = new ServiceSecretGuard('hunter2');
  const rpc = (metadata: Metadata): ExecutionContext =>
    ({ getType: () => 'rpc', switchToRpc: () => ({ getContext: () => metadata }) }) as unknown as ExecutionContext;
  const http = (authorization?: string): ExecutionContext =>
    ({
      getType: () => 'http',
      switchToHttp: () => ({ getRequest: () => ({ headers: { authorization } }) }),
    }) as unknown as ExecutionContext;
  const metadata = (value: string): Metadata => {
    const made = new Metadata();
    made.set('authorization', value);
    return made;
  };

  it('lets in who knows it', () => {
    expect(guard.canActivate(rpc(metadata('Bearer hunter2')))).toBe(true);
    expect(guard.canActivate(http('Bearer hunter2'))).toBe(true);
  });

  it.each([rpc(new Metadata()), rpc(metadata('Bearer hunter')), http(), http('hunter2'), http('Bearer ')])(
    'keeps out who does not (%#)',
    (context) => {
      expect(() => guard.canActivate(context)).toThrow('service secret');
    },
  );

  it('cannot be made with an empty secret', () => {
    expect(() => new ServiceSecretGuard('')).toThrow('empty');
  });
});

/** Configuration, errors, addresses, Redis URLs and metrics: the parts without sockets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { z } from 'zod';
import {
  ConfigError,
  SERVICE_ERROR_CODES,
  ServiceError,
  createLogger,
  createMetrics,
  fromGrpcError,
  httpStatusOf,
  isLoopback,
  isServiceError,
  loadConfig,
  redisConnection,
  redisTlsFilesOf,
  redisTlsVariables,
  secretMatches,
  toGrpcError,
  toServiceError,
} from './index.js';

describe('loadConfig', () => {
  const schema = z.object({ WEFT_PORT: z.coerce.number().int(), WEFT_NAME: z.string().default('weft'), WEFT_SECRET: z.string().min(8) });

  it('reads, compiles and ignores the rest of the environment', () => {
    expect(loadConfig(schema, { WEFT_PORT: '5004', WEFT_SECRET: '12345678', PATH: '/bin' })).toEqual({
      WEFT_PORT: 5004,
      WEFT_NAME: 'weft',
      WEFT_SECRET: '12345678',
    });
  });

  it('names each bad variable and echoes no value', () => {
    try {
      loadConfig(schema, { WEFT_PORT: 'x', WEFT_SECRET: 'short' });
      throw new Error('did not throw');
    } catch (error) {
      const { name, problems, message } = error as ConfigError;
      expect(name).toBe('ConfigError');
      expect(problems.map((p) => p.variable)).toEqual(['WEFT_PORT', 'WEFT_SECRET']);
      expect(message).not.toContain('short');
    }
  });
});

describe('errors', () => {
  it('survive gRPC with code, message and diagnostics', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SERVICE_ERROR_CODES),
        fc.string({ maxLength: 200 }),
        fc.array(fc.string(), { maxLength: 5 }),
        (code, message, notes) => {
          const diagnostics = notes.map((note) => ({
            severity: 1,
            code: 'c',
            message: note,
            file: 'f',
            line: 1,
            column: 2,
            endLine: 0,
            endColumn: 0,
            hint: '',
          }));
          const back = fromGrpcError(toGrpcError(new ServiceError(code, message, diagnostics)));
          expect(back).toMatchObject({ code, message });
          expect(back.diagnostics ?? []).toEqual(diagnostics);
        },
      ),
    );
  });

  it('say when to come again, in whole milliseconds', () => {
    const busy = new ServiceError('RESOURCE_EXHAUSTED', 'full', undefined, { retryAfterMs: 1_200.5 });
    expect(toGrpcError(busy).metadata.get('retry-after-ms')).toEqual(['1201']);
    expect(fromGrpcError(toGrpcError(busy)).retryAfterMs).toBe(1_201);
    const metadata = new Metadata();
    metadata.set('retry-after-ms', 'soon');
    expect(fromGrpcError({ code: status.RESOURCE_EXHAUSTED, details: 'full', metadata }).retryAfterMs).toBeUndefined();
  });

  it('are known by shape, not by class', () => {
    expect(isServiceError({ name: 'ServiceError', code: 'NOT_FOUND', message: 'x' })).toBe(true);
    expect(isServiceError({ name: 'ServiceError', code: 'ENOENT', message: 'x' })).toBe(false);
    expect(isServiceError(Object.assign(new Error('x'), { code: 'NOT_FOUND' }))).toBe(false);
    expect(isServiceError(undefined)).toBe(false);
  });

  it.each([
    [Object.assign(new Error('stop'), { name: 'AbortError' }), 'CANCELLED'],
    [AbortSignal.abort().reason, 'CANCELLED'],
    [Object.assign(new Error('late'), { name: 'TimeoutError' }), 'DEADLINE_EXCEEDED'],
    [Object.assign(new Error('gone'), { code: 'ENOENT' }), 'INTERNAL'],
    ['text', 'INTERNAL'],
  ])('toServiceError(%s) is %s', (thrown, code) => {
    expect(toServiceError(thrown).code).toBe(code);
    expect(status[code as 'INTERNAL']).toBe(toGrpcError(thrown).code);
  });

  it('keep a status they do not know as INTERNAL, and say when diagnostics are garbage', () => {
    const metadata = new Metadata();
    metadata.set('weft-diagnostics-bin', Buffer.from([0xff, 0xff, 0xff]));
    const back = fromGrpcError({ code: status.DATA_LOSS, details: 'lost', metadata });
    expect(back.code).toBe('INTERNAL');
    expect(back.message).toContain('cannot be decoded');
  });

  it('all have an HTTP status', () => {
    for (const code of SERVICE_ERROR_CODES) expect(httpStatusOf(code)).toBeGreaterThanOrEqual(400);
  });
});

describe('redisConnection', () => {
  it.each([
    ['redis://127.0.0.1:7000', { host: '127.0.0.1', port: 7000 }],
    ['redis://h', { host: 'h', port: 6379 }],
    ['redis://me:p%40ss@h:1/3', { host: 'h', port: 1, username: 'me', password: 'p@ss', db: 3 }],
    ['redis://[::1]:7000', { host: '::1', port: 7000 }],
    ['rediss://h:1', { host: 'h', port: 1, tls: {} }],
    ['unix:/run/redis.sock', { path: '/run/redis.sock' }],
    ['unix:///run/redis.sock?db=2', { path: '/run/redis.sock', db: 2 }],
  ])('%s', (url, expected) => {
    expect(redisConnection(url)).toEqual(expected);
  });

  it.each(['', 'localhost:6379', 'http://h', 'unix:rel.sock', 'redis://:secret@', 'redis://h/x'])(
    'rejects "%s" without echoing it',
    (url) => {
      expect(() => redisConnection(url)).toThrow(/WEFT_REDIS_URL/);
      expect(() => redisConnection(url)).not.toThrow(/secret/);
    },
  );
});

describe('redisConnection with TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-redis-tls-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('trusts and shows what the files say', () => {
    const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => {
      writeFileSync(join(folder, name), `the ${name}`);
      return join(folder, name);
    });
    expect(redisConnection('rediss://h', { ca })).toMatchObject({ tls: { ca: Buffer.from('the ca') } });
    const tls = { ca: Buffer.from('the ca'), cert: Buffer.from('the cert'), key: Buffer.from('the key') };
    expect(redisConnection('rediss://h', { ca, cert, key })).toMatchObject({ tls });
  });

  it('refuses files that are not there, or for a connection without TLS', () => {
    expect(() => redisConnection('rediss://h', { ca: join(folder, 'none') })).toThrow(/WEFT_REDIS_TLS_CA: cannot read/);
    expect(() => redisConnection('redis://h', { ca: join(folder, 'none') })).toThrow(/rediss:/);
  });

  it('a certificate needs its key', () => {
    const schema = z.object(redisTlsVariables).transform((env, context) => redisTlsFilesOf(env, context));
    expect(loadConfig(schema, {})).toBeUndefined();
    expect(loadConfig(schema, { WEFT_REDIS_TLS_CA: 'a' })).toEqual({ ca: 'a', cert: undefined, key: undefined });
    expect(() => loadConfig(schema, { WEFT_REDIS_TLS_CERT: 'a' })).toThrow(
      'WEFT_REDIS_TLS_KEY: must be set together with WEFT_REDIS_TLS_CERT',
    );
  });
});

describe('the rest', () => {
  it.each([
    ['127.0.0.1:1', true],
    ['127.9.9.9:1', true],
    ['[::1]:1', true],
    ['localhost:1', true],
    ['unix:/a', true],
    ['0.0.0.0:1', false],
    ['10.0.0.1:1', false],
    ['127.evil.example:1', false],
    ['[::]:1', false],
  ])('isLoopback(%s) is %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
  });

  it('secretMatches wants scheme and secret', () => {
    expect(secretMatches('Bearer s3cret', 's3cret')).toBe(true);
    for (const header of ['s3cret', 'Bearer s3cre', 'bearer s3cret', undefined, 5]) expect(secretMatches(header, 's3cret')).toBe(false);
  });

  it('metrics are of their own registry', async () => {
    const one = createMetrics();
    const two = createMetrics();
    one.counter('weft_tasks_total', 'tasks', ['pool']).inc({ pool: 'default' }, 3);
    two.counter('weft_tasks_total', 'tasks', ['pool']);
    one.gauge('weft_depth', 'depth', [], (gauge) => gauge.set(7));
    const { body } = await one.scrape();
    expect(body).toContain('weft_tasks_total{pool="default"} 3');
    expect(body).toContain('weft_depth 7');
    expect((await two.scrape()).body).not.toContain('default');
  });

  it('a logger rejects a level that does not exist', () => {
    expect(() => createLogger('x', 'loud')).toThrow();
  });
});

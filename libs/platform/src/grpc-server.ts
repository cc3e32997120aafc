/**
 * Starts a gRPC server on one address, with the standard health service.
 *
 * Invariants:
 *  1. Every rpc of a definition has exactly one handler, or the server does not start.
 *  2. Nobody outside this machine reaches a server without a secret or TLS. With a secret, every call but health carries it; with TLS, every
 *     TCP connection shows a certificate of the CA.
 */
import { Server, type ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { HEALTH_SERVICE, Health, HealthService, NOT_SERVING } from './grpc-health.js';
import { commonOptions } from './grpc-options.js';
import { type ListenAddress, isLoopback, parseListenAddress, prepareSocket, protectSocket } from './listen-address.js';
import { ServiceError } from './service-error.js';
import { requireSecret } from './service-secret.js';
import { type ServiceTls, serverCredentials } from './service-tls.js';

export interface GrpcService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

export interface StartGrpcServerOptions {
  /** `host:port` (port 0 = any free one) or `unix:/abs/path`. */
  listen: string;
  services: GrpcService[];
  secret?: string;
  tls?: ServiceTls;
  /** Resolves where the server reaches what it needs; health checks ask it. Default: it needs nothing. */
  ready?: () => Promise<void>;
}

export interface RunningGrpcServer {
  /** As in `listen`, with the real port. */
  address: string;
  /** Stops taking calls, lets running ones finish for `graceMs` (default 5000), then cancels what is left. */
  close(graceMs?: number): Promise<void>;
}

export async function startGrpcServer(options: StartGrpcServerOptions): Promise<RunningGrpcServer> {
  const listen = parseListenAddress(options.listen);
  if (!isLoopback(listen) && !options.secret && !options.tls) {
    throw new ServiceError(
      'FAILED_PRECONDITION',
      `refusing to listen on ${options.listen}, which other machines can reach, without a service secret or TLS`,
    );
  }
  const interceptors = options.secret ? [requireSecret(options.secret, [HEALTH_SERVICE])] : [];
  const server = new Server({ ...commonOptions, interceptors });
  for (const service of options.services) addChecked(server, service);
  const health = new Health(new Set(options.services.map((service) => serviceName(service.definition))), options.ready);
  server.addService(HealthService, health.implementation());
  const address = await bind(server, options.listen, listen, serverCredentials(options.listen, options.tls));
  let closing: Promise<void> | undefined;
  return {
    address,
    close: (graceMs = 5000) => {
      health.set(NOT_SERVING);
      closing ??= closeServer(server, graceMs);
      return closing;
    },
  };
}

function addChecked(server: Server, { definition, implementation }: GrpcService): void {
  const wanted = Object.keys(definition);
  const missing = wanted.filter((name) => typeof implementation[name] !== 'function');
  const surplus = Object.keys(implementation).filter((name) => typeof implementation[name] === 'function' && !wanted.includes(name));
  if (missing.length > 0 || surplus.length > 0) {
    const words = [missing.length > 0 && `no handler for ${missing.join(', ')}`, surplus.length > 0 && `no rpc for ${surplus.join(', ')}`];
    throw new ServiceError('INTERNAL', `${serviceName(definition)}: ${words.filter(Boolean).join('; ')}`);
  }
  server.addService(definition, implementation);
}

function serviceName(definition: ServiceDefinition): string {
  return Object.values(definition)[0]?.path.split('/')[1] ?? '(empty service)';
}

async function bind(server: Server, text: string, listen: ListenAddress, credentials: ServerCredentials): Promise<string> {
  if (listen.kind === 'unix') await prepareSocket(listen.path);
  const target = listen.kind === 'unix' ? `unix:${listen.path}` : text;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(target, credentials, (error, bound) => {
      if (error) reject(new ServiceError('UNAVAILABLE', `cannot listen on ${text}: ${error.message}`, undefined, { cause: error }));
      else resolve(bound);
    });
  });
  if (listen.kind === 'unix') {
    await protectSocket(listen.path);
    return target;
  }
  return listen.host.includes(':') ? `[${listen.host}]:${port}` : `${listen.host}:${port}`;
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), graceMs);
    // The callback also comes after a forced shutdown: it waits for the last session to be gone.
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

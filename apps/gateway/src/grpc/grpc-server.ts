/**
 * The public gRPC server: Runs, reflection and the standard health service.
 *
 * Invariants:
 *  1. It does not start unless every rpc of the proto has exactly one handler.
 *  2. Requests have limits, in bytes and in parts.
 *  3. With tokens configured, every call but those of the health service carries one.
 */
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { gateway } from '@weft/contracts';
import { type PublicTls, ServiceError } from '@weft/platform';
import type { GatewayConfig } from '../config/config.js';
import { boundAddress } from '../config/listen.js';
import { BODY_LIMIT_BYTES } from '../http/body/request-body.js';
import { withLimitedRequests } from './limited-requests.js';
import { addReflection } from './reflection.js';
import { requireToken } from './token.interceptor.js';

const HEALTH_SERVICE = 'grpc.health.v1.Health';
const RUNS_SERVICE = 'weft.gateway.v1.Runs';

/** Bytes of one answer; the same as between the services, so that a large run can be handed on. Requests are as long as those of REST at most. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Milliseconds that calls still running at the end get to finish. */
const GRACE_MS = 5000;

export interface GatewayGrpcServer {
  address: string;
  close(): Promise<void>;
}

export async function startRunsServer(
  config: Pick<GatewayConfig, 'grpc' | 'tokens' | 'protoDir'>,
  runs: gateway.RunsServer,
  tls?: PublicTls,
): Promise<GatewayGrpcServer> {
  const server = new Server({
    'grpc.max_receive_message_length': BODY_LIMIT_BYTES,
    'grpc.max_send_message_length': MAX_ANSWER_BYTES,
    interceptors: config.tokens ? [requireToken(config.tokens, [HEALTH_SERVICE])] : [],
  });
  checkHandlers(gateway.RunsService, runs);
  server.addService(...withLimitedRequests(gateway.RunsService, runs));
  const health = new HealthImplementation({ '': 'SERVING', [RUNS_SERVICE]: 'SERVING' });
  health.addToServer(server);
  addReflection(server, [RUNS_SERVICE, HEALTH_SERVICE], config.protoDir);
  const port = await bind(server, config.grpc.text, tls?.forGrpc() ?? ServerCredentials.createInsecure());
  return {
    address: boundAddress(config.grpc, port),
    close: () => {
      health.setStatus('', 'NOT_SERVING');
      health.setStatus(RUNS_SERVICE, 'NOT_SERVING');
      return shutDown(server);
    },
  };
}

/** @throws ServiceError INTERNAL naming the rpcs without a handler and the handlers without an rpc: grpc-js skips both in silence. */
export function checkHandlers(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void {
  const rpcs = Object.keys(definition);
  const handlers = Object.keys(implementation);
  const missing = rpcs.filter((rpc) => typeof implementation[rpc] !== 'function');
  const surplus = handlers.filter((handler) => !rpcs.includes(handler));
  if (missing.length === 0 && surplus.length === 0) return;
  const service = Object.values(definition)[0]?.path.split('/')[1] ?? 'an empty service';
  const problems = [...missing.map((rpc) => `rpc '${rpc}' has no handler`), ...surplus.map((handler) => `handler '${handler}' has no rpc`)];
  throw new ServiceError('INTERNAL', `${service}: ${problems.join(', ')}`);
}

function bind(server: Server, listen: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => {
      if (error) reject(new ServiceError('UNAVAILABLE', `WEFT_GRPC_LISTEN: cannot listen on ${listen}: ${error.message}`));
      else resolve(port);
    });
  });
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * The gateway's configuration: environment → validated once at boot.
 *
 * Invariants:
 *  1. A listener on an address that other machines can reach exists only where API tokens are configured.
 *  2. Nothing is repaired: a bad variable is refused by its name.
 */
import { join } from 'node:path';
import { z } from 'zod';
import {
  ConfigError,
  isLoopback,
  type PublicTlsFiles,
  publicTlsFilesOf,
  publicTlsVariables,
  type RedisTlsFiles,
  redisTlsFilesOf,
  redisTlsVariables,
  type TlsFiles,
  tlsFilesOf,
  tlsVariables,
  weftHome,
} from '@weft/platform';
import { parseListen, type ListenAddress } from './listen.js';
import { ApiTokens } from './tokens.js';

export const GATEWAY_CONFIG = Symbol('GatewayConfig');

export interface GatewayConfig {
  http: ListenAddress;
  grpc: ListenAddress;
  schedulerAddress: string;
  alAddress: string;
  /** Secret shared between the services; sent to the scheduler and the AL coordinator. */
  serviceSecret?: string;
  /** TLS of both listeners. */
  publicTls?: PublicTlsFiles;
  /** Mutual TLS with the scheduler and the AL coordinator. */
  tls?: TlsFiles;
  redisUrl: string;
  redisTls?: RedisTlsFiles;
  /** API tokens; absent = no authentication (loopback only). */
  tokens?: ApiTokens;
  /** Host names accepted in the Host header besides localhost; empty on a public listener = any. */
  hosts: string[];
  /** Folder that holds `weft/gateway/v1/runs.proto`; found beside the program where absent. */
  protoDir?: string;
  logLevel: string;
  /** Milliseconds between heartbeat comments of an event stream. */
  heartbeatMs: number;
}

/** The variables the gateway reads; `loadConfig` checks them. */
export function gatewayEnvironment(env: NodeJS.ProcessEnv = process.env) {
  const run = join(weftHome(env), 'run');
  const address = (fallback: string) => z.string().min(1).default(fallback);
  const variables = z.object({
    WEFT_HTTP_LISTEN: address('127.0.0.1:5004'),
    WEFT_GRPC_LISTEN: address('127.0.0.1:5005'),
    WEFT_SCHEDULER_ADDRESS: address('127.0.0.1:5006'),
    WEFT_AL_ADDRESS: address(`unix:${join(run, 'al.sock')}`),
    WEFT_REDIS_URL: address('redis://127.0.0.1:6379'),
    WEFT_SERVICE_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
    ...tlsVariables,
    ...publicTlsVariables,
    ...redisTlsVariables,
    WEFT_API_TOKENS_FILE: z.string().min(1).optional(),
    WEFT_HTTP_HOSTS: z.string().default(''),
    WEFT_PROTO_DIR: z.string().min(1).optional(),
    WEFT_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  });
  return variables.transform((read, context) => ({
    ...read,
    tls: tlsFilesOf(read, context),
    publicTls: publicTlsFilesOf(read, context),
    redisTls: redisTlsFilesOf(read, context),
  }));
}

export type GatewayEnvironment = z.infer<ReturnType<typeof gatewayEnvironment>>;

/**
 * Compiles the checked variables.
 * @throws ConfigError for an unreadable tokens file, a malformed address, or a public address without tokens.
 */
export function gatewayConfig(env: GatewayEnvironment): GatewayConfig {
  const tokens = env.WEFT_API_TOKENS_FILE ? ApiTokens.fromFile(env.WEFT_API_TOKENS_FILE) : undefined;
  const config: GatewayConfig = {
    http: parseListen('WEFT_HTTP_LISTEN', env.WEFT_HTTP_LISTEN),
    grpc: parseListen('WEFT_GRPC_LISTEN', env.WEFT_GRPC_LISTEN),
    schedulerAddress: env.WEFT_SCHEDULER_ADDRESS,
    alAddress: env.WEFT_AL_ADDRESS,
    serviceSecret: env.WEFT_SERVICE_SECRET,
    tls: env.tls,
    publicTls: env.publicTls,
    redisUrl: env.WEFT_REDIS_URL,
    redisTls: env.redisTls,
    tokens,
    hosts: env.WEFT_HTTP_HOSTS.split(',')
      .map((host) => host.trim().toLowerCase())
      .filter((host) => host !== ''),
    protoDir: env.WEFT_PROTO_DIR,
    logLevel: env.WEFT_LOG_LEVEL,
    heartbeatMs: 15_000,
  };
  refusePublicWithoutTokens(config);
  return config;
}

/** @throws ConfigError where a listener could be reached from other machines and no tokens are configured. */
export function refusePublicWithoutTokens(config: GatewayConfig): void {
  if (config.tokens) return;
  const listeners: [string, ListenAddress][] = [
    ['WEFT_HTTP_LISTEN', config.http],
    ['WEFT_GRPC_LISTEN', config.grpc],
  ];
  const problems = listeners
    .filter(([, listen]) => !isLoopback(listen.text))
    .map(([variable, listen]) => ({
      variable,
      message:
        `${listen.text} can be reached from other machines and no authentication is configured; ` +
        'set WEFT_API_TOKENS_FILE, or listen on 127.0.0.1 or [::1]',
    }));
  if (problems.length > 0) throw new ConfigError(problems);
}

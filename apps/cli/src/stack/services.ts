/**
 * Which programs make up a stack and how each is started: names, order, environment.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Home, socketPath } from '../home.js';
import { distDirectory } from './build-copy.js';
import type { ProgramSpec } from './child.js';
import { guarded } from './lifeline.js';
import { nodeStart } from './node-arguments.js';
import { redisArguments, redisReadyLine } from './redis.js';
import { noRoom } from './room.js';

/** What `weft run` needs. */
export const EMBEDDED_SERVICES = ['step-runner', 'scheduler'];
/** What `weft up` adds. */
export const EXTRA_SERVICES = ['al-coordinator', 'gateway'];

/** Where each serves, by the name of its socket. */
export const SOCKET_OF: Readonly<Record<string, string>> = {
  redis: 'redis',
  scheduler: 'scheduler',
  'step-runner': 'runner',
  'al-coordinator': 'al',
};

/** In the arguments of each program of a stack: whose it is, for people and for those who look for what was left (processes.ts). */
export const stackArgument = (root: string): string => `--weft-stack=${root}`;

/** `world`: the environment that all programs of the stack start with (environment.ts). */
export function redisProgram(home: Home, command: string, world: NodeJS.ProcessEnv): ProgramSpec {
  // It ends when it cannot write its file, and would end again.
  const mayStart = (): boolean => noRoom(home, true) === undefined;
  return { name: 'redis', ...guarded(command, redisArguments(home)), env: world, readyLine: redisReadyLine, endsLast: true, mayStart };
}

export function serviceProgram(home: Home, name: string, redisUrl: string, world: NodeJS.ProcessEnv): ProgramSpec {
  const script = join(distDirectory(), `${name}.mjs`);
  if (!existsSync(script)) throw new Error(`${script} is not there: build it with \`npm run build\``);
  const node = nodeStart();
  return {
    name,
    command: process.execPath,
    args: [...node.args, script, stackArgument(home.root)],
    env: { ...world, ...node.env, ...serviceEnvironment(home, redisUrl, world) },
    readyLine: readyAddresses,
  };
}

/** Everything internal goes over sockets below the run directory; only the gateway listens on TCP. */
function serviceEnvironment(home: Home, redisUrl: string, world: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const unix = (name: string): string => `unix:${socketPath(home, name)}`;
  return {
    WEFT_HOME: home.root,
    WEFT_REDIS_URL: redisUrl,
    WEFT_SCHEDULER_LISTEN: unix('scheduler'),
    WEFT_SCHEDULER_ADDRESS: unix('scheduler'),
    WEFT_AL_LISTEN: unix('al'),
    WEFT_AL_ADDRESS: unix('al'),
    WEFT_RUNNER_LISTEN: unix('runner'),
    WEFT_RUNNER_ID: world['WEFT_RUNNER_ID'] ?? 'local',
    // Of tools whose run brings none, and of what services start.
    PATH: [world['WEFT_RUNNER_PATH'], world['PATH']].filter((path) => path).join(':'),
    WEFT_SANDBOX_ROOT: home.sandboxes,
    WEFT_CACHE_DIR: home.cache,
    WEFT_DATA_URI: home.dataUri,
    // A stack that only its own user reaches may read what that user can, and make the images that a document describes.
    WEFT_ALLOW_PRIVATE_HTTP: world['WEFT_ALLOW_PRIVATE_HTTP'] ?? (servesOthers(world) ? '0' : '1'),
    // On a machine that is nobody else's a tool that says nothing of its memory may have what there is.
    WEFT_TASK_MEMORY: world['WEFT_TASK_MEMORY'] ?? (isShared(world) ? 'reserved' : 'runner'),
    WEFT_IMAGE_SOURCES: world['WEFT_IMAGE_SOURCES'] ?? (servesOthers(world) ? 'pull' : 'pull,load,import,build'),
  };
}

/** Where the gateway is to listen: it is told when it is asked for, as long as only this machine reaches it. (Else the other services are stricter.) */
export function listensOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const named = ['WEFT_HTTP_LISTEN', 'WEFT_GRPC_LISTEN'].flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return servesOthers(env) ? {} : Object.fromEntries(named);
}

function servesOthers(world: NodeJS.ProcessEnv): boolean {
  const loopback = /^(unix:|(localhost|127(\.\d+){3}|\[::1\]):\d+$)/;
  return [world['WEFT_HTTP_LISTEN'], world['WEFT_GRPC_LISTEN']].some((listen) => listen !== undefined && !loopback.test(listen));
}

/** Others may submit, or are kept to a part of the machine. */
function isShared(world: NodeJS.ProcessEnv): boolean {
  return servesOthers(world) || ['WEFT_API_TOKENS_FILE', 'WEFT_ALLOWED_ROOTS'].some((name) => Boolean(world[name]));
}

/** Every program prints one line `ready <json>` when it serves. */
function readyAddresses(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('ready')) return undefined;
  try {
    const parsed: unknown = JSON.parse(line.slice('ready'.length).trim() || '{}');
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

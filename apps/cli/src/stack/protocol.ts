/**
 * What is said over the control socket of a stack: one JSON object per line.
 * A connection holds an embedded stack up: when the last one is gone and no run is active, the stack goes.
 */
import type { Socket } from 'node:net';

export type StackState = 'starting' | 'ready' | 'failed' | 'stopping';

export interface StackStatus {
  type: 'status';
  state: StackState;
  /** Process id of the supervisor. */
  pid: number;
  /** The boot and PID namespace it lives in: a container that shares the home reaches the socket, and must not use this stack. */
  place: string;
  /** Names the build by its content: another should not talk to it. */
  version: string;
  /** Digests of the variables that its services were configured with: another configuration needs another stack. */
  configuration: Readonly<Record<string, string>>;
  /** Whether it stays until it is told to stop. */
  kept: boolean;
  /** What each program said when it was ready. */
  services: Record<string, ServiceStatus>;
  /** Why it failed. */
  message?: string;
  /** Why nothing can be stored at present, in a sentence. */
  storage?: string;
}

export interface ServiceStatus {
  pid: number;
  /** `silent`: it runs and does not answer. `failed`: it was given up, and is tried again when somebody asks for it. */
  state: 'starting' | 'ready' | 'silent' | 'failed';
  /** Why it failed. */
  message?: string;
  /** How often somebody asked for it. */
  asked: number;
  /** The addresses that the program printed with `ready`. */
  addresses: Record<string, unknown>;
}

/** Something that a person watching the stack wants to know: a program was restarted, … */
export interface StackNote {
  type: 'note';
  text: string;
  /** What keeps a waiting command waiting: it is shown also to those who did not ask for the life of the stack. */
  urgent: boolean;
}

export type FromStack = StackStatus | StackNote;

export type ToStack =
  /** Start these programs too, those that were given up again, and answer with a status. `listens`: variables of the gateway's addresses. */
  | { type: 'extend'; services: string[]; listens: Record<string, string> }
  /** Stay after the last connection. */
  | { type: 'keep' }
  /** Stop now if nobody else is connected and no run is active: the stack was started for nothing, or is of another build or configuration. */
  | { type: 'yield' }
  | { type: 'stop' };

export function send(socket: Socket, message: FromStack | ToStack): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls `handle` for every line that arrives; a line that is no JSON ends the connection. */
export function onMessages<T>(socket: Socket, handle: (message: T) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = parse<T>(line);
      if (message === undefined) {
        socket.destroy();
        return;
      }
      handle(message);
    }
  });
}

function parse<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}

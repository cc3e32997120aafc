/**
 * A program of a test's own that says on stdout when it serves (`ready <json>`, as all of weft's do).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface ProgramOptions {
  command: string;
  args?: string[];
  /** All that it has in its environment, besides PATH and HOME. */
  env?: Record<string, string>;
  /** What a line on stdout says of being ready; undefined: nothing. Default: weft's own `ready <json>`. */
  readyLine?: (line: string) => Record<string, unknown> | undefined;
}

export interface RunningProgram {
  pid: number;
  /** What it said after `ready`. */
  ready: Record<string, unknown>;
  /** What it has written on stderr so far. */
  errors(): string;
  signal(signal: NodeJS.Signals): void;
  /** TERM; resolves with its exit code (null: by a signal) when it has ended. */
  stop(): Promise<number | null>;
  exited: Promise<number | null>;
}

/** Rejects with what it wrote on stderr where it ends before it is ready. */
export async function startProgram({ command, args = [], env = {}, readyLine = weftsOwn }: ProgramOptions): Promise<RunningProgram> {
  const { PATH = '', HOME = '/' } = process.env;
  const child = spawn(command, args, { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const killOnExit = (): void => void child.kill('SIGKILL');
  process.on('exit', killOnExit);
  void exited.finally(() => process.removeListener('exit', killOnExit)).catch(() => undefined);
  const lines = createInterface({ input: child.stdout });
  const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
    lines.on('line', (line) => {
      const said = readyLine(line);
      if (said !== undefined) resolve(said);
    });
    exited.then((code) => reject(new Error(`${command} ended with ${code} before it was ready:\n${errors}`)), reject);
  });
  const signal = (name: NodeJS.Signals): void => void child.kill(name);
  const stop = (): Promise<number | null> => {
    signal('SIGTERM');
    return exited;
  };
  return { pid: child.pid ?? 0, ready, errors: () => errors, signal, stop, exited };
}

function weftsOwn(line: string): Record<string, unknown> | undefined {
  return line.startsWith('ready ') ? (JSON.parse(line.slice('ready '.length)) as Record<string, unknown>) : undefined;
}

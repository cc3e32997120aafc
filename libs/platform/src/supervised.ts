/**
 * A service under a supervisor that started it with `--weft-stack=…`: its stdin is the line to that. A question there is answered on stdout,
 * so that a service which hangs is noticed; the end of it says that the supervisor is gone, however it went, and that nobody wants this service.
 */
import { createInterface } from 'node:readline';

const MARK = '--weft-stack=';
const PING = 'ping';
const PONG = 'pong\n';

export function isSupervised(args: readonly string[] = process.argv): boolean {
  return args.some((arg) => arg.startsWith(MARK));
}

/** Calls `gone` once, when the supervisor has gone. */
export function followSupervisor(
  gone: () => void,
  line: NodeJS.ReadableStream = process.stdin,
  answers: NodeJS.WritableStream = process.stdout,
): void {
  answers.on('error', () => undefined);
  line.on('error', () => undefined);
  const lines = createInterface({ input: line });
  lines.on('line', (text) => {
    if (text === PING) answers.write(PONG);
  });
  lines.once('close', gone);
}

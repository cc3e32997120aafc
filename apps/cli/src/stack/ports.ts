/** Whether the gateway's addresses are free, and who has them where the kernel shows it. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

export const GATEWAY_LISTENS: readonly { variable: string; fallback: string }[] = [
  { variable: 'WEFT_HTTP_LISTEN', fallback: '127.0.0.1:5004' },
  { variable: 'WEFT_GRPC_LISTEN', fallback: '127.0.0.1:5005' },
];

export interface TakenPort {
  listen: string;
  variable: string;
  /** " by nginx (pid 123)", where it is known. */
  holder: string;
}

/** The first address of the gateway that somebody else listens on. */
export async function takenPort(env: NodeJS.ProcessEnv = process.env): Promise<TakenPort | undefined> {
  for (const { variable, fallback } of GATEWAY_LISTENS) {
    const listen = env[variable] || fallback;
    if (!(await isFree(listen))) return { listen, variable, holder: holderOf(Number(listen.slice(listen.lastIndexOf(':') + 1))) };
  }
  return undefined;
}

/** False only where it is taken: what else is wrong with an address, the gateway itself says. */
export function isFree(listen: string): Promise<boolean> {
  const colon = listen.lastIndexOf(':');
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const server = createServer().on('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    server.listen(Number(listen.slice(colon + 1)), host, () => server.close(() => resolve(true)));
  });
}

/** Another user's process cannot be seen. */
function holderOf(port: number): string {
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return '';
  for (const pid of namesIn('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!namesIn(`/proc/${pid}/fd`).some((fd) => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`)))) continue;
    return ` by ${textOf(`/proc/${pid}/comm`).trim()} (pid ${pid})`;
  }
  return '';
}

/** As links of descriptors name them: `socket:[…]`. */
function listeningInodes(port: number): Set<string> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => textOf(path).split('\n'));
  const fields = lines.map((line) => line.trim().split(/\s+/));
  const LISTENING = '0A';
  return new Set(
    fields.filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === LISTENING).map((line) => `socket:[${line[9]}]`),
  );
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

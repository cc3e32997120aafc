/**
 * A host of the internet, stood in for: an HTTP server on the address at which containers reach this machine, and the host's name
 * pinned to that address in the containers that may use the network (the step-runner's WEFT_DOCKER_EXTRA_HOSTS).
 */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { CommandError } from '../errors.js';
import { findInPath } from '../stack/redis.js';

export interface StandIn {
  host: string;
  address: string;
  close(): Promise<void>;
}

const HTTP_PORT = 80;

/** `host`: served from here; `host=ip`: a server that runs there already. */
export async function openStandIn(wanted: string): Promise<StandIn> {
  const [host = '', given] = wanted.split('=');
  if (host === '' || given === '') throw new CommandError(`a stand-in is written host or host=ip, not "${wanted}"`);
  if (given !== undefined) return { host, address: given, close: () => Promise.resolve() };
  const address = bridgeAddress();
  return { host, address, close: await serve(host, address) };
}

export function extraHosts(standIns: readonly StandIn[]): string {
  return standIns.map(({ host, address }) => `${host}:${address}`).join(',');
}

/** Where containers on the engine's default network reach this machine. */
function bridgeAddress(): string {
  const docker = findInPath(['docker']);
  if (docker === undefined) throw new CommandError('a stand-in needs Docker: it serves the containers of the tests');
  const format = '{{range .IPAM.Config}}{{.Gateway}} {{end}}';
  const answer = spawnSync(docker, ['network', 'inspect', 'bridge', '--format', format], { encoding: 'utf8' });
  const address = answer.stdout.trim().split(' ')[0] ?? '';
  if (answer.status === 0 && address !== '') return address;
  throw new CommandError(`the address of Docker's bridge is not known: ${answer.stderr.trim() || 'the network has no gateway'}`);
}

function serve(host: string, address: string): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end(`stands in for ${host}${request.url ?? '/'}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EACCES' ? 'only root may serve on port 80' : error.message;
      reject(new CommandError(`nothing can stand in for ${host} on ${address}:${HTTP_PORT}: ${why}`));
    });
    server.listen(HTTP_PORT, address, () => {
      resolve(
        () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      );
    });
  });
}

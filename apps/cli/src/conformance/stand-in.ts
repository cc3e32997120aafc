/**
 * A host of the internet, stood in for: an HTTP server on the address at which containers reach this machine, and the host's name
 * pinned to that address in the containers that may use the network (the step-runner's WEFT_DOCKER_EXTRA_HOSTS).
 */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { CommandError } from '../errors.js';
import { findInPath } from '../stack/programs.js';

export interface StandIn {
  host: string;
  address: string;
  close(): Promise<void>;
}

const HTTP_PORT = 80;

/** This machine cannot serve the host. */
export class UnservedError extends Error {}

/**
 * `host`: served from here; `host=ip`: a server that runs there already.
 * @throws UnservedError; CommandError where that is no stand-in
 */
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
  if (docker === undefined) throw new UnservedError('a stand-in needs Docker: it serves the containers of the tests');
  const format = '{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}{{end}}';
  const answer = spawnSync(docker, ['network', 'inspect', 'bridge', '--format', format], { encoding: 'utf8' });
  const [gateway = '', subnet = ''] = answer.stdout.trimEnd().split(' ');
  if (answer.status === 0 && gateway !== '') return gateway;
  // An engine that found its bridge there already names no gateway: the bridge has the first address of the subnet then.
  const first = firstAddress(subnet);
  if (first !== undefined) return first;
  throw new UnservedError(`the address of Docker's bridge is not known: ${answer.stderr.trim() || 'the network has no gateway'}`);
}

/** `172.17.0.0/16` → `172.17.0.1` */
export function firstAddress(subnet: string): string | undefined {
  const [, prefix, last] = /^(\d+\.\d+\.\d+)\.(\d+)\/\d+$/.exec(subnet) ?? [];
  return prefix === undefined ? undefined : `${prefix}.${Number(last) + 1}`;
}

function serve(host: string, address: string): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end(`stands in for ${host}${request.url ?? '/'}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EACCES' ? 'only root may serve on port 80' : error.message;
      reject(new UnservedError(`nothing can stand in for ${host} on ${address}:${HTTP_PORT}: ${why}`));
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

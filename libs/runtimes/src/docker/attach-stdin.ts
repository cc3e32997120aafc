/**
 * Attaching to a container with its standard input.
 *
 * Invariant: the request has no body. What the client library would put there (the options once more) is standard input to Podman.
 */
import type Docker from 'dockerode';

type Dial = (options: object, done: (error: Error | null, stream: NodeJS.ReadWriteStream) => void) => void;

/** The container's streams, multiplexed; what is written goes to its standard input. */
export function attachWithStdin(docker: Docker, containerId: string): Promise<NodeJS.ReadWriteStream> {
  const modem = docker.modem as { dial: Dial };
  const request = {
    path: `/containers/${containerId}/attach?`,
    method: 'POST',
    options: { _query: { stream: true, stdin: true, stdout: true, stderr: true } },
    file: Buffer.alloc(0),
    isStream: true,
    hijack: true,
    openStdin: true,
    statusCodes: { 101: true, 200: true, 404: 'no such container', 500: 'server error' },
  };
  return new Promise((resolve, reject) => modem.dial(request, (error, stream) => (error ? reject(error) : resolve(stream))));
}

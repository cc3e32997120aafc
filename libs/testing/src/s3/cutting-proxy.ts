/**
 * A TCP proxy that cuts connections where a test says: after so many bytes from the server. What was sent until then arrives.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  /** Where it listens, `127.0.0.1:<port>`. */
  address: string;
  /** Connections that were made so far. */
  readonly connections: number;
  /** Each connection is cut after so many bytes from the server, so many times; afterwards none is. */
  cut(afterBytes: number, times: number): void;
  /** Told of every piece the server sends; what it returns goes on in its place. */
  corrupt(change: ((piece: Buffer) => Buffer) | undefined): void;
  stop(): Promise<void>;
}

/** @param target `host:port` of the server behind it */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const [host, port] = [target.slice(0, target.lastIndexOf(':')), Number(target.slice(target.lastIndexOf(':') + 1))];
  const open = new Set<Socket>();
  let [limit, cutsLeft, connections] = [Infinity, 0, 0];
  let change: ((piece: Buffer) => Buffer) | undefined;
  const server = createServer((client) => {
    connections++;
    const upstream = connect({ host, port });
    let sent = 0;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.once('error', () => socket.destroy());
    }
    client.pipe(upstream);
    upstream.on('data', (piece: Buffer) => {
      if (cutsLeft > 0 && sent + piece.length > limit) {
        cutsLeft--;
        upstream.destroy();
        client.end(piece.subarray(0, limit - sent), () => client.destroy());
        return;
      }
      sent += piece.length;
      client.write(change === undefined ? piece : change(piece));
    });
    upstream.once('end', () => client.end());
    upstream.once('close', () => client.end());
    client.once('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    cut: (afterBytes, times) => {
      limit = afterBytes;
      cutsLeft = times;
    },
    corrupt: (how) => {
      change = how;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

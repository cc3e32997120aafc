/** A TCP proxy that stops in the middle of what a client sends, and goes on when the test says so. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { type Deferred, deferred } from '@weft/testing';

export class HoldingProxy {
  private readonly sockets = new Set<Socket>();
  private readonly held: Socket[] = [];
  private limit = Number.POSITIVE_INFINITY;
  private reached: Deferred<void> = deferred();

  private constructor(private readonly server: Server) {}

  /** @param target `host:port` */
  static async start(host: string, target: { host: string; port: number }): Promise<HoldingProxy> {
    const server = createServer((client) => proxy.serve(client, connect(target)));
    const proxy = new HoldingProxy(server);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return proxy;
  }

  get address(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  /** From now on, a connection's client is read no further than so many bytes. Resolves when the first has sent them. */
  hold(bytes: number): Promise<void> {
    this.limit = bytes;
    this.reached = deferred();
    return this.reached.promise;
  }

  /** Resolves when the connections that were held are closed. */
  async goOn(): Promise<void> {
    this.limit = Number.POSITIVE_INFINITY;
    const held = this.held.splice(0).filter((socket) => !socket.destroyed);
    const closed = Promise.all(held.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    for (const socket of held) socket.resume();
    await closed;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      for (const socket of this.sockets) socket.destroy();
    });
  }

  private serve(client: Socket, upstream: Socket): void {
    let sent = 0;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    upstream.pipe(client);
    client.on('data', (piece) => {
      upstream.write(piece);
      sent += piece.length;
      if (sent < this.limit) return;
      client.pause();
      this.held.push(client);
      this.reached.resolve();
    });
  }
}

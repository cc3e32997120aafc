/**
 * The connections of the HTTP server, so that it can close without waiting for those nobody uses: Node counts a connection that never
 * sent a request (a browser opens such ones in advance) as busy, and waits a minute for it.
 *
 * Invariants: a connection with a request in flight is left alone until the request is done or the grace is over.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds that requests in flight get to finish. */
const GRACE_MS = 5000;

export class Connections {
  /** Requests in flight, by connection. */
  private readonly inFlight = new Map<Socket, number>();
  private closing = false;

  constructor(server: Server) {
    // With TLS, requests come by the socket that a handshake has made of the connection.
    server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.inFlight.set(socket, 0);
      socket.once('close', () => this.inFlight.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.count(request.socket, 1);
      response.once('close', () => this.count(request.socket, -1));
    });
  }

  /** Ends what is unused now, the rest as it falls idle or when the grace is over. Resolves when `closed` does. */
  async drain(closed: Promise<unknown>): Promise<void> {
    this.closing = true;
    for (const [socket, requests] of this.inFlight) if (requests === 0) socket.destroy();
    const timer = setTimeout(() => this.inFlight.forEach((_requests, socket) => socket.destroy()), GRACE_MS);
    await closed.finally(() => clearTimeout(timer));
  }

  private count(socket: Socket, change: 1 | -1): void {
    const requests = (this.inFlight.get(socket) ?? 0) + change;
    if (this.inFlight.has(socket)) this.inFlight.set(socket, requests);
    if (this.closing && requests === 0) socket.destroySoon();
  }
}

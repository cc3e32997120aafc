/** Asks the stack's Redis whether it answers, over a connection of its own. */
import { type Socket, connect } from 'node:net';

const QUESTION = 'PING\r\n';

export class RedisProbe {
  private socket: Socket | undefined;

  constructor(
    private readonly path: string,
    private readonly answered: () => void,
  ) {}

  ask(): void {
    this.socket ??= this.open();
    this.socket.write(QUESTION);
  }

  close(): void {
    this.socket?.destroy();
  }

  private open(): Socket {
    const socket = connect(this.path);
    socket.unref();
    // Whatever it says, it lives: an error (it loads its file) is an answer, too.
    socket.on('data', () => this.answered());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.socket === socket) this.socket = undefined;
    });
    return socket;
  }
}

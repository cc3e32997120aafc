/**
 * Asks the stack's Redis how it is, over a connection of its own: whether it answers, and whether it can write its file.
 */
import { type Socket, connect } from 'node:net';

const QUESTION = 'INFO persistence\r\n';
/** An answer has some 1,500 bytes. */
const MOST_BYTES = 64 * 1024;

export interface RedisHealth {
  /** What it said last about writing its append-only file. */
  canWrite: boolean;
}

export class RedisProbe {
  private socket: Socket | undefined;
  private answer = '';

  constructor(
    private readonly path: string,
    private readonly answered: (health: RedisHealth) => void,
  ) {}

  /** At most one question is open. */
  ask(): void {
    if (this.socket === undefined) this.open();
    else if (this.answer === '') this.socket.write(QUESTION);
  }

  close(): void {
    this.socket?.destroy();
  }

  private open(): void {
    const socket = connect(this.path);
    this.socket = socket;
    this.answer = '';
    socket.setEncoding('utf8').unref();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.socket === socket) this.socket = undefined;
    });
    socket.on('data', (chunk: string) => this.take(chunk));
    socket.write(QUESTION);
  }

  private take(chunk: string): void {
    this.answer += chunk;
    const written = /^aof_last_write_status:(\w+)\r$/m.exec(this.answer);
    if (written !== null) this.answered({ canWrite: written[1] === 'ok' });
    if (this.answer.endsWith('\r\n') && written !== null) this.answer = '';
    // An error instead of an answer, or something that is no Redis: it lives, and that is all there is to know.
    else if (this.answer.startsWith('-') || this.answer.length > MOST_BYTES) {
      this.answered({ canWrite: true });
      this.answer = '';
    }
  }
}

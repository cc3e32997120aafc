/**
 * Looks after a stack that runs: do its programs answer, are its files there, can anything be stored. Decides nothing that ends more than one program.
 *
 * Invariants:
 *  1. A program that does not answer is told about, and replaced after a time, unless it waits for a disk or a debugger has it: those come back.
 *  2. Time is counted in looks of this process: while the whole machine sleeps, nobody is late.
 */
import { mkdirSync } from 'node:fs';
import { type Home, socketPath } from '../home.js';
import type { Program } from './child.js';
import { processState } from './lock/place.js';
import { RedisProbe } from './redis-probe.js';
import { noRoom } from './room.js';
import { SOCKET_OF } from './services.js';
import type { SocketNames } from './sockets.js';

export const LOOK_MS = 2_000;
/** Looks without an answer until it is told, and until the program is replaced. */
export const TOLD_AFTER = 2;
export const REPLACED_AFTER = 30;

export interface CareOptions {
  home: Home;
  /** Of the stack's own Redis; absent: somebody else's. */
  redisSocket: string | undefined;
  programs(): readonly Program[];
  sockets: SocketNames;
  /** What keeps commands waiting, or no longer does. */
  tell(text: string): void;
  /** What is in `storage` has changed. */
  changed(): void;
  /** The control socket has lost its names. */
  listenAgain(): void;
  /** What the kernel says of a process. */
  stateOf?: typeof processState;
}

export class Care {
  /** Why nothing can be stored at present. */
  storage: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly probe: RedisProbe | undefined;

  constructor(private readonly options: CareOptions) {
    const { redisSocket } = options;
    this.probe = redisSocket === undefined ? undefined : new RedisProbe(redisSocket, () => this.redis()?.answered());
  }

  start(): void {
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.probe?.close();
  }

  look(): void {
    this.room();
    this.files();
    for (const program of this.options.programs()) this.askProgram(program);
  }

  private redis(): Program | undefined {
    return this.options.programs().find(({ spec }) => spec.endsLast);
  }

  private askProgram(program: Program): void {
    const missed = program.ping();
    if (program === this.redis() && program.state !== 'starting') this.probe?.ask();
    if (missed < TOLD_AFTER) return;
    const state = (this.options.stateOf ?? processState)(program.pid);
    const { name } = program.spec;
    if (missed === TOLD_AFTER) {
      program.silent();
      this.options.tell(`${name} does not answer (pid ${program.pid}, ${state})`);
    }
    if (missed < REPLACED_AFTER || state === 'traced' || state === 'waits for a disk') return;
    this.options.tell(`${name} (pid ${program.pid}, ${state}) has not answered for ${(REPLACED_AFTER * LOOK_MS) / 1000} s: it is replaced`);
    program.replace();
  }

  /** Redis does not run without room for its file, so its absence makes a look worth while. */
  private room(): void {
    const redisAway = this.options.programs().some(({ spec, state }) => spec.endsLast && state !== 'ready');
    const full = noRoom(this.options.home, redisAway);
    if ((full === undefined) === (this.storage === undefined)) return;
    this.storage = full;
    this.options.tell(full ?? `${this.options.home.root} has room again: everything goes on`);
    this.options.changed();
  }

  private files(): void {
    const { home, sockets, programs, tell, listenAgain } = this.options;
    try {
      mkdirSync(home.logs, { recursive: true, mode: 0o700 });
      const serving = programs().flatMap(({ spec, state }) =>
        state === 'ready' && SOCKET_OF[spec.name] !== undefined ? [SOCKET_OF[spec.name] ?? ''] : [],
      );
      const { restored, lost } = sockets.restore(['stack', ...serving]);
      if (restored.length > 0) tell(`${home.run} was removed and is there again`);
      if (lost.includes('stack')) listenAgain();
      for (const program of programs()) {
        if (!lost.includes(SOCKET_OF[program.spec.name] ?? '')) continue;
        tell(`the socket ${socketPath(home, SOCKET_OF[program.spec.name] ?? '')} was removed: ${program.spec.name} is started again`);
        program.restart();
      }
    } catch {
      // The disk is full or the file system is away: what can be done about it is done at the next look.
    }
  }
}

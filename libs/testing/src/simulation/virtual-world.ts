/**
 * A world in which a seed decides what happens next: processes that send messages and set timers, and one step at a time in which one of
 * them goes on.
 *
 * Invariants:
 *  1. Between two steps nothing is under way but what waits for a message or a timer: all promises that can settle have settled.
 *  2. A process that crashed runs no code any more. What it had sent may still arrive, or not; it hears of no answer.
 *  3. Time passes only in steps; nothing reads a real clock or a real source of randomness.
 */
import type { Journal } from './journal.js';
import { SeededRandom } from './seeded-random.js';

/** Probabilities, per call, that it fails before it happens, and that it happens and its answer is lost. */
export interface NetworkFaults {
  loseCall: number;
  loseAnswer: number;
}

interface Message {
  process: VirtualProcess;
  /** Survives a crash of its process: it is on its way to somebody else. */
  outbound: boolean;
  what: string;
  deliver: () => void;
}

interface VirtualTimer {
  process: VirtualProcess;
  atMs: number;
  work: () => void;
}

export const WORLD_BEGINS_MS = 1_760_000_000_000;
const QUIET: NetworkFaults = { loseCall: 0, loseAnswer: 0 };
/** How often time passes although messages wait: they are slower than that then. */
const SLOW_MESSAGES = 0.04;

export class VirtualWorld {
  nowMs = WORLD_BEGINS_MS;
  steps = 0;
  faults: NetworkFaults = QUIET;
  /** Messages arrive in the order they were sent. */
  orderly = false;
  private readonly messages: Message[] = [];
  private readonly timers: VirtualTimer[] = [];

  constructor(
    readonly random: SeededRandom,
    private readonly journal?: Journal,
  ) {}

  /** For whoever looks at this history. */
  note(who: string, what: () => string): void {
    this.journal?.note(this.nowMs, who, what());
  }

  spawn(name: string): VirtualProcess {
    return new VirtualProcess(this, name);
  }

  /** From now on nothing is lost; what is on its way still arrives in any order. */
  calm(): void {
    this.faults = QUIET;
  }

  /** Lets one thing happen. False: nothing is left to happen before `untilMs`. */
  async step(untilMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    this.steps += 1;
    const message = this.takeMessage();
    if (message) {
      this.journal?.note(this.nowMs, message.process.name, message.what);
      message.deliver();
    } else if (!this.passTime(untilMs)) return !this.idle;
    // One turn of the event loop: by then every promise that could settle has done so. No time is waited for.
    await new Promise<void>((resolve) => setImmediate(resolve));
    return true;
  }

  /** No message can be delivered now. */
  get idle(): boolean {
    return !this.messages.some(({ process, outbound }) => outbound || process.awake);
  }

  post(process: VirtualProcess, outbound: boolean, what: string, deliver: () => void): void {
    this.messages.push({ process, outbound, what, deliver });
  }

  setTimer(process: VirtualProcess, delayMs: number, work: () => void): () => void {
    const timer: VirtualTimer = { process, atMs: this.nowMs + Math.max(0, delayMs), work };
    this.timers.push(timer);
    return () => {
      const at = this.timers.indexOf(timer);
      if (at >= 0) this.timers.splice(at, 1);
    };
  }

  forget(process: VirtualProcess): void {
    keep(this.timers, (timer) => timer.process !== process);
    keep(this.messages, (message) => message.process !== process || (message.outbound && this.random.chance(0.5)));
  }

  private takeMessage(): Message | undefined {
    const ready: number[] = [];
    this.messages.forEach(({ process, outbound }, at) => {
      if (process.awake || outbound) ready.push(at);
    });
    if (ready.length === 0) return undefined;
    if (!this.orderly && this.random.chance(SLOW_MESSAGES) && this.timers.length > 0) return undefined;
    const [message] = this.messages.splice(this.orderly ? (ready[0] ?? 0) : this.random.pick(ready), 1);
    return message;
  }

  private passTime(untilMs: number): boolean {
    let next: VirtualTimer | undefined;
    for (const timer of this.timers) if (timer.process.awake && (next === undefined || timer.atMs < next.atMs)) next = timer;
    if (!next || next.atMs > untilMs) return false;
    this.timers.splice(this.timers.indexOf(next), 1);
    this.nowMs = Math.max(this.nowMs, next.atMs);
    this.journal?.note(this.nowMs, next.process.name, 'timer');
    next.work();
    return true;
  }
}

/** One process of the world: its calls, messages and timers end with it. */
export class VirtualProcess {
  private state: 'running' | 'paused' | 'crashed' = 'running';
  /** As the scheduler's parts take it. */
  readonly clock = {
    now: (): number => this.world.nowMs,
    after: (delayMs: number, work: () => void): (() => void) => this.world.setTimer(this, delayMs, work),
  };

  constructor(
    private readonly world: VirtualWorld,
    readonly name: string,
  ) {}

  get awake(): boolean {
    return this.state === 'running';
  }

  get crashed(): boolean {
    return this.state === 'crashed';
  }

  pause(): void {
    if (this.state === 'running') this.state = 'paused';
  }

  resume(): void {
    if (this.state === 'paused') this.state = 'running';
  }

  crash(): void {
    this.state = 'crashed';
    this.world.forget(this);
  }

  /** Something reaches this process, some time. */
  receive(deliver: () => void, what = 'hears'): void {
    if (!this.crashed) this.world.post(this, false, what, deliver);
  }

  /** A call to somebody else: it arrives some time, its answer some time later; either may be lost, and the caller gets an error then. */
  call<T>(operation: string, action: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.crashed) return;
      const lost = (): void => reject(Object.assign(new Error(`${operation}: connection lost`), { code: 'ECONNRESET' }));
      this.world.post(this, true, operation, () => {
        const { random, faults } = this.world;
        if (faults.loseCall > 0 && random.chance(faults.loseCall)) return this.receive(lost, 'loses a call');
        const silent = faults.loseAnswer > 0 && random.chance(faults.loseAnswer);
        action().then(
          (value) => this.receive(silent ? lost : (): void => resolve(value), silent ? 'loses an answer' : 'answer'),
          (error: unknown) => this.receive((): void => reject(error as Error), 'refusal'),
        );
      });
    });
  }

  /** Work of its own that takes its time, like an evaluation: it is done some time and never lost. */
  compute<T>(action: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.receive(() => {
        try {
          resolve(action());
        } catch (error) {
          reject(error as Error);
        }
      }, 'computes');
    });
  }
}

function keep<T>(items: T[], wanted: (item: T) => boolean): void {
  const kept = items.filter(wanted);
  items.splice(0, items.length, ...kept);
}

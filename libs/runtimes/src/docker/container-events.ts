/**
 * The engine's events of this runner's containers, while they run: who ends one from outside is known in the moment it happens, without asking
 * after every task.
 *
 * Invariants:
 *  1. The engine records a signal before the end that it brings: where it told of the end of a container and of no signal before, there was none.
 *  2. That the memory limit took something of a container is told beside its end, before or a little after it: an engine that is asked in between
 *     does not know it yet. Where this host's kernel has ended something for memory meanwhile, its own log is asked, and then it is waited for as
 *     long as a busy machine takes.
 *  3. Where the events were cut between the container's beginning and its end, nothing is claimed.
 */
import type Docker from 'dockerode';
import { endedForMemory } from '../kernel-log.js';
import { memoryKills } from '../memory-kills.js';
import { isUnanswered } from './engine-error.js';

export interface ContainerEvent {
  Action: string;
  Actor: { ID: string; Attributes?: Record<string, string> };
}

const LINE_LENGTH = 1024 * 1024;
/** HUP, USR1, USR2, CONT, STOP, TSTP, WINCH: sent to tell a tool something, not to end it. */
const TELLING = new Set(['1', '10', '12', '18', '19', '20', '28']);

/** Whether an event of the kind "kill" is meant to end the tool. */
export function stopsTool({ Actor }: ContainerEvent): boolean {
  return !TELLING.has(Actor.Attributes?.['signal'] ?? '');
}

export async function* readEvents(stream: NodeJS.ReadableStream): AsyncGenerator<ContainerEvent, void, undefined> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LENGTH) throw new Error('an event of the engine has no end');
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as ContainerEvent;
  }
}

/** How much later than the end of a container the engine may tell that memory was the cause, in milliseconds. */
export const MEMORY_TOLD_MS = 250;
/** The same, where it is likely: the kernel of this host has ended a process for memory while the container was there, this one's or another's. */
export const MEMORY_LIKELY_MS = 10_000;

interface Told {
  tell: () => void;
  told: Promise<void>;
}

interface Watched {
  stopped: boolean;
  died: boolean;
  outOfMemory: boolean;
  /** Of this host, when the container was about to begin. */
  killsBefore: number;
  end: Told;
  memory: Told;
}

function untold(): Told {
  let tell: Told['tell'] = () => undefined;
  const told = new Promise<void>((resolve) => (tell = resolve));
  return { tell, told };
}

export class ContainerEvents {
  private readonly watched = new Map<string, Watched>();
  private opening: Promise<void> | undefined;

  /**
   * @param moment some time for what is on its way: as many milliseconds, or as the engine's requests take
   * @param kills how many processes the kernel has ended for memory so far; another host's engine may have another kernel
   * @param wroteDown whether that kernel has written down that it did so in this container
   */
  constructor(
    private readonly docker: Docker,
    private readonly ownerId: string,
    private readonly moment: (signal: AbortSignal, ms?: number) => Promise<void>,
    private readonly kills: () => number = memoryKills,
    private readonly wroteDown: (containerId: string) => Promise<boolean | undefined> = endedForMemory,
  ) {}

  /** Resolves when events are heard, once for all containers. @throws the connection's error */
  open(): Promise<void> {
    this.opening ??= this.listen();
    return this.opening;
  }

  /** From before the container is started; only where events are heard. */
  watch(containerId: string): void {
    const killsBefore = this.kills();
    this.watched.set(containerId, { stopped: false, died: false, outOfMemory: false, killsBefore, end: untold(), memory: untold() });
  }

  forget(containerId: string): void {
    this.watched.delete(containerId);
  }

  /** Of a container that has ended: whether somebody had the engine end it; undefined where that is not known from here. */
  async stopped(containerId: string): Promise<boolean | undefined> {
    const watched = this.watched.get(containerId);
    if (watched === undefined) return undefined;
    await this.orSoon(watched.end);
    return watched.died ? watched.stopped : undefined;
  }

  /** Of a container that has ended: whether the engine tells that its memory limit took something in it. False where events are not heard. */
  async ranOutOfMemory(containerId: string): Promise<boolean> {
    const watched = this.watched.get(containerId);
    if (watched === undefined) return false;
    const likely = this.kills() > watched.killsBefore;
    // An engine on a busy machine may find the container's cgroup gone before it has looked at it, and then never tells.
    if (likely && !watched.outOfMemory && (await this.wroteDown(containerId))) return true;
    await this.orSoon(watched.memory, likely ? MEMORY_LIKELY_MS : MEMORY_TOLD_MS);
    return watched.outOfMemory;
  }

  private async orSoon({ told }: Told, ms?: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([told, this.moment(over.signal, ms)]);
    over.abort();
  }

  private async listen(): Promise<void> {
    const filters = JSON.stringify({ type: ['container'], label: [`weft.owner=${this.ownerId}`], event: ['kill', 'die', 'oom'] });
    try {
      const stream = await this.docker.getEvents({ filters });
      void this.hear(stream);
    } catch (error) {
      // A proxy may keep them from us: whoever asks is told that nothing is known.
      if (!isUnanswered(error)) return;
      this.opening = undefined;
      throw error;
    }
  }

  private async hear(stream: NodeJS.ReadableStream): Promise<void> {
    try {
      for await (const event of readEvents(stream)) this.take(event);
    } catch {
      // Cut: whoever asks is told that nothing is known.
    }
    this.opening = undefined;
    for (const { end, memory } of this.watched.values()) {
      end.tell();
      memory.tell();
    }
    this.watched.clear();
  }

  private take(event: ContainerEvent): void {
    const watched = this.watched.get(event.Actor.ID);
    if (watched === undefined) return;
    if (event.Action === 'kill') watched.stopped ||= stopsTool(event);
    else if (event.Action === 'die') {
      watched.died = true;
      watched.end.tell();
    } else if (event.Action === 'oom') {
      watched.outOfMemory = true;
      watched.memory.tell();
    }
  }
}

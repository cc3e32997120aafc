/**
 * The container engine as the runtime uses it: asked again when it comes back, and left with nothing of ours.
 *
 * Invariants:
 *  1. `ask` gives what the engine said. Without an answer it asks again, once it is there again, so only what may be done twice is asked so.
 *  2. A container that is to go is removed however long the engine is away: whoever wanted that is let go when the engine is overdue, the
 *     removal stays due until this life of the runner ends; the next one finds the container by its label.
 *  3. A task that is being started waits for nothing beyond the engine's going: whoever starts it says so, and lets it be cancelled.
 */
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { RuntimeFailure } from '../ports.js';
import { engineFailure, isUnanswered, readEngineError } from './engine-error.js';
import { UnansweredError, watchRequests } from './engine-requests.js';
import { Presence, type PresenceOptions } from './presence.js';

/** A request that the engine answers by hanging up is not made for ever. */
const TRIES = 5;
/** The engine has to answer a ping within this time, milliseconds. */
const PING_MS = 15_000;
const MOMENT_MS = 1_000;
/** How long an engine that was there is waited for, milliseconds. */
const WAIT_MS = 600_000;

export interface EngineOptions {
  pingMs?: number;
  waitMs?: number;
  pause?: PresenceOptions['pause'];
  nowMs?: PresenceOptions['nowMs'];
  /** Why a container could not be removed that nobody waits for. */
  onProblem: (text: string, error: unknown) => void;
}

export class Engine {
  readonly docker = new Docker();
  readonly presence: Presence;
  /** Containers that are to go; with the removal that is under way. */
  private readonly due = new Map<string, Promise<void> | undefined>();
  private readonly leaving = new Set<() => void>();
  private version: string | undefined;

  constructor(private readonly options: EngineOptions) {
    const { pingMs = PING_MS, waitMs = WAIT_MS, pause, nowMs } = options;
    const ping = async (): Promise<void> => void (await this.docker.ping());
    this.presence = new Presence({ endpoint: endpointOf(this.docker), ping, waitMs, pause, nowMs });
    const { presence } = this;
    watchRequests(this.docker, {
      pingMs,
      get gone() {
        return presence.gone;
      },
      answered: () => presence.answered(),
      suspect: (error) => presence.suspect(error),
    });
    presence.onDeparture(() => presence.closing.aborted && this.leave());
    presence.onReturn(() => {
      this.version = undefined;
      for (const [ref, underWay] of this.due) if (underWay === undefined) this.removeDue(ref);
    });
  }

  /** @throws RuntimeFailure RUNTIME_UNAVAILABLE where it is not waited for any more; whatever the engine refused with */
  async ask<T>(doing: string, request: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      await this.presence.here();
      try {
        return await request();
      } catch (error) {
        if (!isUnanswered(error)) throw error;
        const there = await this.presence.look();
        if (tries >= TRIES || (!there && !this.presence.isExpected)) throw engineFailure(error, doing);
      }
    }
  }

  /** Its version, asked for once each time that it is there. */
  async knownVersion(): Promise<string> {
    this.version ??= (await this.docker.version()).Version;
    return this.version;
  }

  get lastVersion(): string {
    return this.version ?? '';
  }

  /** Resolves when the container is gone, whoever removed it. @param ref its id or name. @throws RuntimeFailure */
  remove(ref: string): Promise<void> {
    const underWay = this.due.get(ref) ?? this.unlessClosed(this.tryToRemove(ref));
    underWay.catch(() => undefined);
    this.due.set(ref, underWay);
    return underWay;
  }

  /** Resolves when a removal that was asked for before is over, however it went. */
  async removalOf(ref: string): Promise<void> {
    await this.due.get(ref)?.catch(() => undefined);
  }

  /** What `waited` comes to, unless the engine goes first. @throws UnansweredError where it does */
  async whileHere<T>(waited: Promise<T>): Promise<T> {
    const { gone } = this.presence;
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(new UnansweredError('it does not answer any more', 'ENGINE_GONE'));
      if (gone.aborted) leave();
      else gone.addEventListener('abort', leave, { once: true });
    });
    return Promise.race([waited, left]).finally(() => gone.removeEventListener('abort', leave));
  }

  private leave(): void {
    for (const leave of this.leaving) leave();
  }

  private unlessClosed(removal: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void =>
        reject(new RuntimeFailure('RUNTIME_UNAVAILABLE', 'the runner goes; its next life removes the container', true));
      if (this.presence.isAway && this.presence.closing.aborted) leave();
      this.leaving.add(leave);
      removal.then(resolve, reject).finally(() => this.leaving.delete(leave));
    });
  }

  private async tryToRemove(ref: string): Promise<void> {
    try {
      await this.ask(`remove container ${ref}`, () => removeContainer(this.docker.getContainer(ref)));
      this.due.delete(ref);
    } catch (error) {
      if (isUnanswered(error)) this.due.set(ref, undefined);
      else this.due.delete(ref);
      throw engineFailure(error, `remove container ${ref}`);
    }
  }

  /** Some time for what is on its way. */
  moment(signal = new AbortController().signal, ms = MOMENT_MS): Promise<void> {
    const { pause = (time: number) => delay(time, undefined, { signal, ref: false }) } = this.options;
    return pause(ms, signal).catch(() => undefined);
  }

  close(): void {
    this.presence.close();
    if (this.presence.isAway) this.leave();
  }

  private removeDue(ref: string): void {
    this.remove(ref).catch((error: unknown) => this.options.onProblem(`cannot remove container ${ref}`, error));
  }
}

async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    const { status } = readEngineError(error);
    if (status === 404) return;
    if (status !== 409) throw error;
    // Somebody else is removing it.
    await container.wait({ condition: 'removed' }).catch((problem: unknown) => {
      if (readEngineError(problem).status !== 404) throw problem;
    });
  }
}

/** As a person would write it into DOCKER_HOST. */
function endpointOf(docker: Docker): string {
  const { DOCKER_HOST: given } = process.env;
  if (given !== undefined && given !== '') return given;
  const { socketPath } = docker.modem as unknown as { socketPath?: unknown };
  return `unix://${typeof socketPath === 'string' ? socketPath : '/var/run/docker.sock'}`;
}

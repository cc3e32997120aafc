/**
 * The runtime of this process: prepared at first use, once, however many commands ask; a failed preparation is tried again by the next.
 */
import type { AlRuntime } from './al-runtime.js';

export type Note = (text: string) => void;

export class RuntimeProvider {
  private preparing: Promise<AlRuntime> | undefined;
  private readonly told: string[] = [];
  private readonly listeners = new Set<Note>();

  constructor(private readonly prepare: (note: Note) => Promise<AlRuntime>) {}

  /** `note` hears what is told from now on, and what was told before while preparing. */
  async get(note: Note): Promise<AlRuntime> {
    for (const text of this.told) note(text);
    this.listeners.add(note);
    try {
      this.preparing ??= this.start();
      return await this.preparing;
    } finally {
      this.listeners.delete(note);
    }
  }

  private async start(): Promise<AlRuntime> {
    try {
      return await this.prepare((text) => {
        this.told.push(text);
        for (const listener of this.listeners) listener(text);
      });
    } catch (error) {
      this.preparing = undefined;
      throw error;
    } finally {
      // Later commands hear the decision (the last word), not every step of getting there.
      this.told.splice(0, Math.max(0, this.told.length - 1));
    }
  }
}

/**
 * Keeps the names of the stack's sockets: each has a second one beside the run directory. When that is removed (a cleaner, a person), the
 * sockets still serve whoever is connected, and get their names back, so that nothing has to be started again.
 */
import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Home, makePrivate, socketPath } from '../home.js';

export class SocketNames {
  constructor(private readonly home: Home) {}

  /** The socket of this name serves now. */
  keep(name: string): void {
    const path = socketPath(this.home, name);
    const spare = this.spare(name);
    try {
      makePrivate(this.home.spare);
      rmSync(`${spare}.new`, { force: true });
      linkSync(path, `${spare}.new`);
      renameSync(`${spare}.new`, spare);
    } catch {
      // No second name (another file system, the disk is full): what is lost then has to be started again.
      rmSync(spare, { force: true });
    }
  }

  /** Gives the sockets that lost their names these back. Answers with those whose programs have to be started again. */
  restore(names: readonly string[]): { restored: string[]; lost: string[] } {
    const missing = names.filter((name) => !isThere(socketPath(this.home, name)));
    const restored: string[] = [];
    if (missing.length > 0) makePrivate(this.home.run);
    for (const name of missing) {
      try {
        linkSync(this.spare(name), socketPath(this.home, name));
        restored.push(name);
      } catch {
        // Told as lost.
      }
    }
    return { restored, lost: missing.filter((name) => !restored.includes(name)) };
  }

  forget(): void {
    rmSync(this.home.spare, { recursive: true, force: true });
  }

  private spare(name: string): string {
    return join(this.home.spare, basename(socketPath(this.home, name)));
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

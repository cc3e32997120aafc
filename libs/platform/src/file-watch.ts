/**
 * Tells when files may have changed, by the system's file events: in place, by renaming another over them, or by turning a link.
 *
 * Invariants: many events make one look; watching keeps no process alive. File systems of other hosts tell nothing.
 */
import { type FSWatcher, realpathSync, watch } from 'node:fs';
import { dirname } from 'node:path';

export class FileWatch {
  private watchers: FSWatcher[] = [];
  private looking = false;

  constructor(
    private readonly paths: readonly string[],
    private readonly look: () => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  get isOn(): boolean {
    return this.watchers.length > 0;
  }

  /** Again where it is on: a link may lead to another directory now. */
  start(): void {
    this.stop();
    // Directories, not files: a file that is replaced is another one.
    const directories = new Set(this.paths.flatMap((path) => [dirname(path), dirname(realpathSync(path))]));
    this.watchers = [...directories].map((directory) =>
      watch(directory, { persistent: false }, () => this.lookSoon()).on('error', (error) => this.onError(error)),
    );
  }

  stop(): void {
    for (const watcher of this.watchers.splice(0)) watcher.close();
  }

  private lookSoon(): void {
    if (this.looking) return;
    this.looking = true;
    setImmediate(() => {
      this.looking = false;
      if (this.isOn) this.look();
    });
  }
}

export interface FollowLog {
  info(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/**
 * Reads a file again whenever it has changed; what cannot be taken is told to the log, and what was read before stays in use.
 * @param read throws where it cannot be taken; false: it says what it said before
 */
export function followFile(path: string, read: () => boolean, log: FollowLog): { close(): void } {
  const complain = (error: unknown): void =>
    log.error({ err: error, file: path }, 'the file cannot be taken as it is now; what it said before stays in use');
  const watched = new FileWatch(
    [path],
    () => {
      try {
        if (!read()) return;
        watched.start();
        log.info({ file: path }, 'the file was read again');
      } catch (error) {
        complain(error);
      }
    },
    complain,
  );
  watched.start();
  return { close: () => watched.stop() };
}

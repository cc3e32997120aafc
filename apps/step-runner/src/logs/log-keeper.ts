/**
 * Where the whole logs of tasks lie while they are written, and how they come to where they belong: a directory of this host, at once; another
 * storage, when the attempt has ended.
 */
import { dirname, join } from 'node:path';
import type { executor } from '@weft/contracts';
import { isFileUri } from '@weft/storage';
import type { RunnerFiles } from '../inputs/runner-files.js';

export type StreamName = 'stdout' | 'stderr';

/** Directories that were looked at: the runs of this host's tasks. */
const KNOWN = 1000;

export interface LogPlace {
  path: string;
  /** Where it is to be brought in the end; absent: it lies there. */
  uploadTo?: string;
}

export class LogKeeper {
  private readonly known = new Map<string, string>();

  /** @param limitBytes of the file of one stream; 0: none is kept */
  constructor(
    private readonly files: Pick<RunnerFiles, 'resolve'> & { storage: Pick<RunnerFiles['storage'], 'publish'> },
    readonly limitBytes: number,
  ) {}

  /** Undefined: no whole log is wanted or kept. @throws StorageError where the runner may not write there */
  placeOf(spec: Pick<executor.TaskSpec, 'logTo'>, sandbox: string, stream: StreamName): LogPlace | undefined | Promise<LogPlace> {
    if (spec.logTo === '' || this.limitBytes === 0) return undefined;
    const uri = `${spec.logTo}${stream}`;
    if (!isFileUri(uri)) return { path: join(sandbox, `log.${stream}`), uploadTo: uri };
    const cut = uri.lastIndexOf('/') + 1;
    const known = this.known.get(uri.slice(0, cut));
    // What is no plain name is a path of its own, and looked at as one.
    if (known !== undefined && /^[A-Za-z0-9._-]+$/.test(uri.slice(cut))) return { path: join(known, uri.slice(cut)) };
    return this.lookedAt(uri, cut);
  }

  async upload(path: string, uri: string): Promise<void> {
    await this.files.storage.publish(path, uri);
  }

  private async lookedAt(uri: string, cut: number): Promise<LogPlace> {
    const path = await this.files.resolve(uri);
    if (this.known.size >= KNOWN) for (const oldest of this.known.keys()) if (this.known.delete(oldest)) break;
    this.known.set(uri.slice(0, cut), dirname(path));
    return { path };
  }
}

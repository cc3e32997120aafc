/**
 * Runs, logs and results that people want gone: the one way by which REST, gRPC and the command line remove anything.
 *
 * Invariants:
 *  1. A run that has not ended is not removed, nor one whose published files another run needs: as inputs while it is active, or among its outputs.
 *  2. The run goes before its files: one that was taken up again in the meantime keeps them.
 */
import type { scheduler } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { isFinal, type RunHeader, type RunObject, type RunReader, textOf, UnreadableRunError } from '@weft/run-store';
import type { RunFolders } from '../retention/run-folders.js';

export interface RunRemovalDeps {
  get(runId: string): Promise<RunHeader>;
  reader: Pick<RunReader, 'list' | 'object' | 'remove'>;
  folders: Pick<RunFolders, 'pinned' | 'prefixOf' | 'removeLogs' | 'removeRun'>;
  /** Absent: results of earlier tasks are not used. */
  trimCallCache: ((keepBytes: number) => Promise<{ removed: number; bytes: number }>) | undefined;
}

const PAGE = 1000;
/** Runs that are looked through for one that needs files of another: of more, the newest. */
const LOOKED_AT = 20_000;

export class RunRemoval {
  constructor(private readonly deps: RunRemovalDeps) {}

  async run(runId: string): Promise<void> {
    const { reader, folders } = this.deps;
    await this.ended(runId).catch(unlessUnreadable);
    const needed = (await folders.pinned(runId)).length > 0 ? await this.neededBy(runId) : undefined;
    if (needed) throw new ServiceError('FAILED_PRECONDITION', `run ${runId} is needed by run ${needed.runId}, ${needed.why}`);
    if (!(await reader.remove(runId))) await this.ended(runId);
    await folders.removeRun(runId);
  }

  /** The whole logs of its tasks; their beginnings and ends stay. */
  async logs(runId: string): Promise<void> {
    await this.ended(runId);
    await this.deps.folders.removeLogs(runId);
  }

  async callCache(keepBytes: number): Promise<scheduler.TrimCallCacheResponse> {
    if (!this.deps.trimCallCache) throw new ServiceError('FAILED_PRECONDITION', 'there is no call cache here (WEFT_CALL_CACHE=off)');
    return this.deps.trimCallCache(keepBytes);
  }

  private async ended(runId: string): Promise<void> {
    const { state } = await this.deps.get(runId);
    if (isFinal(state)) return;
    throw new ServiceError('FAILED_PRECONDITION', `run ${runId} is ${state}: cancel it first, or wait for its end`);
  }

  private async neededBy(runId: string): Promise<{ runId: string; why: string } | undefined> {
    const prefix = this.deps.folders.prefixOf(runId);
    let pageToken: string | undefined;
    for (let looked = 0; looked < LOOKED_AT; looked += PAGE) {
      const page = await this.deps.reader.list({ limit: PAGE, ...(pageToken !== undefined && { pageToken }) });
      for (const other of page.runs) {
        if (other.runId === runId) continue;
        const why = await this.needs(other, prefix).catch((error: unknown) => {
          unlessUnreadable(error);
          return 'which cannot be read, so that nobody knows what it needs: remove that one first';
        });
        if (why !== undefined) return { runId: other.runId, why };
      }
      pageToken = page.nextPageToken;
      if (pageToken === undefined) return undefined;
    }
    return undefined;
  }

  /** @throws UnreadableRunError */
  private async needs(other: RunHeader, prefix: string): Promise<string | undefined> {
    if (isFinal(other.state))
      return (await this.refersTo(other, 'outputs', prefix)) ? 'whose outputs are files of it: remove that one first' : undefined;
    return (await this.refersTo(other, 'inputs', prefix)) ? 'which reads what it published: wait for its end, or cancel it' : undefined;
  }

  /** In the text: a URI that is no location, but stands in a string, counts as well. */
  private async refersTo({ runId }: RunHeader, which: RunObject, prefix: string): Promise<boolean> {
    const found = await this.deps.reader.object(runId, which);
    return found !== undefined && (await textOf(found)).includes(JSON.stringify(prefix).slice(0, -1));
  }
}

/** What cannot be read may go, if the store knows it as one that has ended; what it needs is not known. */
function unlessUnreadable(error: unknown): void {
  if (!(error instanceof UnreadableRunError)) throw error;
}

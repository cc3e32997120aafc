/**
 * What tasks run in: content ids of images, or, where a task runs on the host, of the programs and files that its command line names.
 *
 * Invariants:
 *  1. For the tasks that it begins within LOOKED_MS a run sees one answer per reference; one that is not there is asked for again every time.
 *  2. Who stores a result asks anew: a program that was edited while the tool ran is nothing to find its result by.
 */
import { RecentMap } from '@weft/call-cache';
import type { executor } from '@weft/contracts';
import { callUnary } from '@weft/platform';

/** Where a task runs, or is likely to. */
export interface Where {
  runnerId: string;
  address: string;
  runtime: string;
  contained: boolean;
}

const REMEMBERED = 10_000;
const LOOKED_MS = 10_000;
/** A runner that does not answer by then leaves the task to be executed. */
const DEADLINE_MS = 5_000;
/** Files of the host that one command line may name and have looked at. */
const MAX_FILES = 16;

export class RunContents {
  private readonly known = new RecentMap<{ atMs: number; id: Promise<string> }>(REMEMBERED);

  constructor(
    private readonly client: (address: string) => executor.ContainerExecutorClient,
    private readonly now: () => number,
  ) {}

  /** Undefined: something is not there (yet). Rejects with ServiceError where the runner cannot say. */
  async of(
    { runId, anew = false }: { runId: string; anew?: boolean },
    where: Where,
    spec: executor.TaskSpec,
    sandbox: string | undefined,
  ): Promise<Record<string, string> | undefined> {
    const asker = { runId, anew };
    if (where.contained) {
      if (spec.image === undefined) return undefined;
      const id = await this.ask(asker, where, spec.image);
      return id === '' ? undefined : { image: id };
    }
    const [command = ''] = spec.argv;
    // One that was put into the sandbox is among the inputs; one that another PATH leads to cannot be asked for by its name.
    const own = sandbox !== undefined && command.startsWith(`${sandbox}/`);
    const asked = !own && (command.startsWith('/') || (!command.includes('/') && spec.environment['PATH'] === undefined));
    const files = new Set(asked ? [command, ...hostFiles(spec.argv.slice(1), sandbox)] : hostFiles(spec.argv, sandbox));
    const references = [...files];
    const { searchPath } = spec;
    const ids = await Promise.all(
      references.map((reference) => this.ask(asker, where, { reference, loadUri: '', importUri: '', dockerfile: '' }, searchPath)),
    );
    if (asked && ids[0] === '') return undefined;
    return Object.fromEntries(references.map((reference, index) => [reference, ids[index] ?? '']).filter(([, id]) => id !== ''));
  }

  private async ask(
    { runId, anew }: { runId: string; anew: boolean },
    { runnerId, runtime, address }: Where,
    image: executor.Image,
    searchPath = '',
  ): Promise<string> {
    // One run has one PATH, so that the run's id stands for it.
    const key = [runId, runnerId, runtime, image.reference, image.dockerfile, image.loadUri, image.importUri].join('\n');
    const known = this.known.get(key);
    if (known !== undefined && !anew && this.now() - known.atMs <= LOOKED_MS) return known.id;
    const client = this.client(address);
    const id = callUnary(client, client.inspectImage, { runtime, image, searchPath }, { deadlineMs: DEADLINE_MS }).then(
      ({ imageId }) => imageId,
    );
    const answer = { atMs: this.now(), id };
    this.known.set(key, answer);
    const forget = (): void => void (this.known.get(key) === answer && this.known.delete(key));
    id.then((found) => found === '' && forget(), forget);
    return id;
  }
}

/** Absolute paths in a command line that are not the task's own. */
function hostFiles(words: readonly string[], sandbox: string | undefined): string[] {
  const found = words.flatMap((word) => word.match(/(?<![^\s'"=:;,(])\/[^\s'";|&<>()]+/g) ?? []);
  const own = (path: string): boolean => sandbox !== undefined && path.startsWith(sandbox);
  return found.filter((path) => !own(path) && !/^\/(?:proc|sys|dev)\//.test(path)).slice(0, MAX_FILES);
}

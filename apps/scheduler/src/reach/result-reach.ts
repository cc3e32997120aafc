/**
 * Whose results a run sees: below the data directory what it published itself, and what other runs of its project did. Everything else there
 * (results of other projects, archived runs, the call cache, whatever lies beside them) is no input, whoever names it: a job, a document's
 * default, an expression.
 *
 * Invariants:
 *  1. Whether a run is another project's, is not there any more or never was, does not show.
 *  2. Places are compared as storage will take them: by decoded path, dot segments gone. That no other name leads there is storage's to see
 *     (libs/storage, reach.ts).
 *  3. What a run published itself is asked nothing about: no look-up, whatever the number of files.
 */
import { RecentMap } from '@weft/call-cache';
import type { executor } from '@weft/contracts';
import { type CwlValue, visitFiles, withoutEndSlashes } from '@weft/plan';
import { fileUriToPath, isFileUri, StorageError, systemErrorCode } from '@weft/storage';
import { type FileAccess, TaskError } from '@weft/tasks';
import { realpathSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';

/** Who looks. A submission has no run yet. */
export interface ResultScope {
  runId?: string;
  /** Absent: of a job that does not say; it sees its own run's results alone. */
  projectId?: string;
}

export interface ResultReachDeps {
  /** Ends in '/'. */
  dataUri: string;
  /** Of a run; undefined: there is none of that id. */
  projectOf(runId: string): Promise<string | undefined>;
  files: FileAccess;
}

/** Where the scheduler's services use it. */
export type Seeing = Pick<ResultReach, 'filesOf' | 'checkValues' | 'checkSpec'>;

/** Projects of runs never change. */
const REMEMBERED = 10_000;
const ASKED_AT_ONCE = 16;
/** What might lead out of a directory. */
const DOTS = /\/\.|%2e|%5c|\\/i;
const OUR_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export class ResultReach {
  private readonly projects = new RecentMap<Promise<string | undefined>>(REMEMBERED);
  /** Names of the data directory, each with '/' at its end. */
  private readonly names: readonly string[];

  constructor(private readonly deps: ResultReachDeps) {
    this.names = isFileUri(deps.dataUri) ? namesOf(fileUriToPath(deps.dataUri)) : [deps.dataUri];
  }

  /** @throws StorageError ACCESS */
  async check(uri: string, scope: ResultScope): Promise<void> {
    const place = this.placeOf(uri);
    if (place === undefined) return;
    if (scope.runId !== undefined && place.run === scope.runId) return;
    const mine = place.run !== undefined && scope.projectId !== undefined && (await this.projectOf(place.run)) === scope.projectId;
    if (!mine) throw new StorageError('ACCESS', `${uri} is no result of this run or of its project, and cannot be an input`, uri);
  }

  /** Of all Files and Directories in a value. @throws TaskError INPUT_FILE */
  async checkValues(value: CwlValue | undefined, scope: ResultScope): Promise<void> {
    const asked = new Set<string>();
    visitFiles(value, ({ location }) => {
      if (location !== undefined && !this.isPlainlyOwn(location, scope) && this.placeOf(location) !== undefined) asked.add(location);
    });
    await this.checkInputs([...asked], scope);
  }

  /** Of what a task is given, whoever made it up. @throws TaskError INPUT_FILE */
  async checkSpec({ inputs, image }: Pick<executor.TaskSpec, 'inputs' | 'image'>, scope: ResultScope): Promise<void> {
    const uris = inputs.flatMap(({ source }) => (source?.$case === 'uri' ? [source.value] : []));
    for (const uri of [image?.loadUri ?? '', image?.importUri ?? '']) if (uri !== '') uris.push(uri);
    await this.checkInputs(
      uris.filter((uri) => !this.isPlainlyOwn(uri, scope) && this.placeOf(uri) !== undefined),
      scope,
    );
  }

  private async checkInputs(uris: readonly string[], scope: ResultScope): Promise<void> {
    try {
      for (let at = 0; at < uris.length; at += ASKED_AT_ONCE)
        await Promise.all(uris.slice(at, at + ASKED_AT_ONCE).map((uri) => this.check(uri, scope)));
    } catch (error) {
      if (error instanceof StorageError && error.code === 'ACCESS') throw new TaskError('INPUT_FILE', error.message);
      throw error;
    }
  }

  filesOf(scope: ResultScope): FileAccess {
    const { files } = this.deps;
    return {
      stat: (uri) => this.check(uri, scope).then(() => files.stat(uri)),
      readText: (uri, limit) => this.check(uri, scope).then(() => files.readText(uri, limit)),
      list: (uri) => this.check(uri, scope).then(() => files.list(uri)),
    };
  }

  /** As runners write it, so that most files cost a comparison. */
  private isPlainlyOwn(uri: string, { runId }: ResultScope): boolean {
    return runId !== undefined && uri.startsWith(`${this.deps.dataUri}runs/${runId}/`) && !DOTS.test(uri);
  }

  /** Undefined: not below the data directory. Without a run: in it, but nothing that a run published. */
  private placeOf(uri: string): { run?: string } | undefined {
    const path = isFileUri(uri) ? pathOf(uri) : uri;
    if (path === undefined) return undefined;
    for (const name of this.names) {
      if (`${path}/` === name) return {};
      if (!path.startsWith(name)) continue;
      const [runs, run = '', rest = ''] = path.slice(name.length).split('/');
      return runs === 'runs' && OUR_NAME.test(run) && rest !== '' ? { run } : {};
    }
    return undefined;
  }

  private projectOf(runId: string): Promise<string | undefined> {
    const known = this.projects.get(runId);
    if (known !== undefined) return known;
    const asked = this.deps.projectOf(runId);
    this.projects.set(runId, asked);
    const forget = (): void => this.projects.delete(runId);
    // One that is not there may come; one that cannot be asked for may be answered the next time.
    asked.then((project) => project === undefined && forget(), forget);
    return asked;
  }
}

/** What storage cannot take either is refused there. */
function pathOf(uri: string): string | undefined {
  try {
    return withoutEndSlashes(normalize(fileUriToPath(uri))) || '/';
  } catch {
    return undefined;
  }
}

function namesOf(directory: string): string[] {
  const plain = withoutEndSlashes(normalize(directory));
  return [...new Set([plain, realOrWouldBe(plain)])].map((name) => `${name}/`);
}

/** It is made when the first result is published. */
function realOrWouldBe(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return join(realOrWouldBe(dirname(path)), basename(path));
  }
}

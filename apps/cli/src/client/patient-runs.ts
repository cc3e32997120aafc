/**
 * A RunsClient whose waits are told: for whom a call waits, once that takes a moment; that a stream's service is away, once per absence.
 *
 * Invariant: no call is without a limit (CALL_MS, SUBMIT_MS); a stream may be silent for as long as its service answers.
 */
import { type CwlObject, visitFiles } from '@weft/plan';
import { ServiceError, isServiceError } from '@weft/platform/client';
import { patiently } from '../stack/patience.js';
import type { RunsClient, Submission } from './runs-client.js';

/** Milliseconds. A submission has its document loaded and checked. */
export const CALL_MS = 120_000;
export const SUBMIT_MS = 600_000;

export interface Peer {
  /** "the scheduler (pid 123, stopped)" */
  name(): string;
  say(line: string): void;
}

export function patientRuns(runs: RunsClient, peer: Peer): RunsClient {
  const call = <T>(work: Promise<T>, limitMs = CALL_MS, why = (): string => ''): Promise<T> =>
    patiently(work, { say: (line) => peer.say(line), what: () => `${peer.name()} to answer${why()}` }).catch((error: unknown) => {
      if (!isServiceError(error) || error.code !== 'DEADLINE_EXCEEDED') throw error;
      throw new ServiceError('DEADLINE_EXCEEDED', `${peer.name()} has not answered for ${limitMs / 1000} s`, undefined, { cause: error });
    });
  return {
    submit: (submission) => call(runs.submit(submission), SUBMIT_MS, () => looksFirst(submission)),
    get: (runId) => call(runs.get(runId)),
    object: (runId, kind) => absenceTold(peer, () => runs.object(runId, kind)),
    list: (filter) => call(runs.list(filter)),
    tasks: (runId, pageToken) => call(runs.tasks(runId, pageToken)),
    cancel: (runId, reason) => call(runs.cancel(runId, reason)),
    retry: (runId) => call(runs.retry(runId)),
    watch: (runId, after, signal) => absenceTold(peer, () => runs.watch(runId, after, signal)),
    logs: (query, signal) => absenceTold(peer, () => runs.logs(query, signal)),
    remove: (runId, onlyLogs) => call(runs.remove(runId, onlyLogs)),
    trimCallCache: (keepBytes) =>
      call(
        Promise.resolve().then(() => runs.trimCallCache(keepBytes)),
        SUBMIT_MS,
      ),
    taskLog: (query) => absenceTold(peer, () => runs.taskLog(query)),
    close: () => runs.close(),
  };
}

/** A submission has its inputs looked at, whether they are there; a slow server is not the service's fault. */
export function looksFirst({ inputsJson }: Pick<Submission, 'inputsJson'>): string {
  const remote = new Set<string>();
  visitFiles(JSON.parse(inputsJson) as CwlObject, ({ location = '' }) => {
    if (/^(?:https?|s3):/i.test(location)) remote.add(location.replace(/[?#].*$/s, ''));
  });
  const [first, ...others] = remote;
  if (first === undefined) return '';
  return `, which looks whether the inputs are there: ${first}${others.length === 0 ? '' : ` and ${others.length} more on other hosts`}`;
}

/** Peers that are known to be away, so that each attempt to follow does not say it again. */
const away = new WeakSet<Peer>();

async function* absenceTold<T>(peer: Peer, open: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    for await (const item of open()) {
      if (away.delete(peer)) peer.say(`${peer.name()} answers again`);
      yield item;
    }
  } catch (error) {
    if (isServiceError(error) && error.code === 'UNAVAILABLE' && !away.has(peer)) {
      away.add(peer);
      peer.say(`waiting for ${peer.name()} to answer…`);
    }
    throw error;
  }
}

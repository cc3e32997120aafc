/** RunsClient over the scheduler of a local stack. */
import { run, scheduler } from '@weft/contracts';
import { callServerStream, callUnary, createClient } from '@weft/platform/client';
import { processState } from '../stack/lock/place.js';
import { CALL_MS, SUBMIT_MS, patientRuns } from './patient-runs.js';
import type { RunsClient } from './runs-client.js';

export interface LocalService {
  say(line: string): void;
  /** Of the process that serves now; 0: not known. */
  pid(): number;
}

export function schedulerRuns(address: string, secret: string | undefined, local: LocalService): RunsClient {
  const name = (): string => {
    const pid = local.pid();
    return pid === 0 ? 'the scheduler' : `the scheduler (pid ${pid}, ${processState(pid)})`;
  };
  return patientRuns(calls(address, secret), { name, say: (line) => local.say(line) });
}

function calls(address: string, secret?: string): RunsClient {
  const client = createClient(scheduler.SchedulerClient, address, secret);
  const options = { waitForReady: true };
  const unary = { ...options, deadlineMs: CALL_MS };
  return {
    submit: async (submission) => {
      const request = { ...submission, options: submission };
      const answer = await callUnary(client, client.submitRun, request, { ...options, deadlineMs: SUBMIT_MS });
      return { run: present(answer.run), existing: answer.existing, diagnostics: answer.diagnostics };
    },
    get: async (runId) => present((await callUnary(client, client.getRun, { runId }, unary)).run),
    object: (runId, kind) => callServerStream(client.readObject.bind(client), { runId, kind, taskId: '' }, options),
    list: (filter) => callUnary(client, client.listRuns, { ...filter, labels: {} }, unary),
    tasks: (runId, pageToken) => callUnary(client, client.listTasks, { runId, pageSize: 1000, pageToken }, unary),
    watch: (runId, after, signal) => callServerStream(client.watchRun.bind(client), { runId, ...after }, { ...options, signal }),
    logs: (query, signal) => callServerStream(client.streamLogs.bind(client), query, { ...options, signal }),
    taskLog: (query) => callServerStream(client.readTaskLog.bind(client), query, options),
    cancel: async (runId, reason) => present((await callUnary(client, client.cancelRun, { runId, reason }, unary)).run),
    retry: async (runId) => present((await callUnary(client, client.retryRun, { runId }, unary)).run),
    remove: async (runId, onlyLogs = false) => {
      await callUnary(client, client.deleteRun, { runId, onlyLogs }, unary);
    },
    trimCallCache: (keepBytes) => callUnary(client, client.trimCallCache, { keepBytes }, { ...options, deadlineMs: SUBMIT_MS }),
    close: () => client.close(),
  };
}

/** proto3 has no required messages; an answer without its run breaks the contract. */
export function present(value: run.Run | undefined): run.Run {
  if (value === undefined) throw new Error('the answer carries no run');
  return value;
}

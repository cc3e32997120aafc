/** RunsClient over the scheduler of a local stack. */
import { run, scheduler } from '@weft/contracts';
import { callServerStream, callUnary, createClient } from '@weft/platform';
import type { RunsClient } from './runs-client.js';

export function schedulerRuns(address: string, secret?: string): RunsClient {
  const client = createClient(scheduler.SchedulerClient, address, secret);
  const options = { waitForReady: true };
  return {
    submit: async (submission) => {
      const request = { ...submission, options: submission };
      const answer = await callUnary(client, client.submitRun, request, options);
      return { run: present(answer.run), existing: answer.existing, diagnostics: answer.diagnostics };
    },
    get: async (runId) => present((await callUnary(client, client.getRun, { runId }, options)).run),
    list: (filter) => callUnary(client, client.listRuns, { ...filter, labels: {} }, options),
    tasks: (runId, pageToken) => callUnary(client, client.listTasks, { runId, pageSize: 1000, pageToken }, options),
    watch: (runId, after, signal) => callServerStream(client.watchRun.bind(client), { runId, ...after }, { ...options, signal }),
    logs: (query, signal) => callServerStream(client.streamLogs.bind(client), query, { ...options, signal }),
    cancel: async (runId, reason) => present((await callUnary(client, client.cancelRun, { runId, reason }, options)).run),
    retry: async (runId) => present((await callUnary(client, client.retryRun, { runId }, options)).run),
    close: () => client.close(),
  };
}

/** proto3 has no required messages; an answer without its run breaks the contract. */
export function present(value: run.Run | undefined): run.Run {
  if (value === undefined) throw new Error('the answer carries no run');
  return value;
}

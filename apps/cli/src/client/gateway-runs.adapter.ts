/** RunsClient over a gateway's public gRPC interface. */
import { gateway } from '@weft/contracts';
import { callServerStream, callUnary, createClient, ServiceError, trustingSystem } from '@weft/platform/client';
import { CALL_MS, SUBMIT_MS, patientRuns } from './patient-runs.js';
import type { RunsClient } from './runs-client.js';
import { present } from './scheduler-runs.adapter.js';

export function gatewayRuns(address: string, token: string | undefined, say: (line: string) => void): RunsClient {
  return patientRuns(calls(address, token), { name: () => `the gateway at ${address}`, say });
}

function calls(address: string, token?: string): RunsClient {
  // A scheme says whether there is TLS; without one there is none.
  const [, scheme = 'grpc', target = address] = /^(grpcs?|https):\/\/([^/]+)\/?$/.exec(address) ?? [];
  const client = createClient(gateway.RunsClient, target, token, scheme === 'grpc' ? undefined : trustingSystem);
  const unary = { deadlineMs: CALL_MS };
  return {
    submit: async ({ document, ...request }) => {
      const answer = await callUnary(
        client,
        client.submit,
        { ...request, document: { $case: 'bundle', value: document } },
        { deadlineMs: SUBMIT_MS },
      );
      return { run: present(answer.run), existing: answer.existing, diagnostics: answer.diagnostics };
    },
    get: async (runId) => present((await callUnary(client, client.get, { runId }, unary)).run),
    object: (runId, kind) => callServerStream(client.object.bind(client), { runId, kind, taskId: '' }),
    list: (filter) => callUnary(client, client.list, filter, unary),
    tasks: (runId, pageToken) => callUnary(client, client.tasks, { runId, pageSize: 1000, pageToken }, unary),
    watch: (runId, after, signal) => callServerStream(client.watch.bind(client), { runId, ...after }, { signal }),
    logs: (query, signal) => callServerStream(client.logs.bind(client), query, { signal }),
    taskLog: (query) => callServerStream(client.taskLog.bind(client), query),
    cancel: async (runId, reason) => present((await callUnary(client, client.cancel, { runId, reason }, unary)).run),
    retry: async (runId) => present((await callUnary(client, client.retry, { runId }, unary)).run),
    remove: async (runId, onlyLogs = false) => {
      await callUnary(client, client.delete, { runId, onlyLogs }, unary);
    },
    trimCallCache: () => {
      throw new ServiceError('UNIMPLEMENTED', 'the call cache is trimmed where the scheduler is: without --gateway');
    },
    close: () => client.close(),
  };
}

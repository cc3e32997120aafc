/** weft.scheduler.v1.Scheduler over submissions and queries. */
import type { scheduler } from '@weft/contracts';
import { serverStream, unary } from '@weft/platform';
import type { RunQueries } from './run-queries.js';
import type { RunRemoval } from './run-removal.js';
import type { Submissions } from '../intake/submission.js';
import { toDiagnostic } from '../intake/diagnostics.js';

export function schedulerService(submissions: Submissions, queries: RunQueries, removal: RunRemoval): scheduler.SchedulerServer {
  return {
    submitRun: unary(async (request) => {
      const { header, inputs, runId, existing, diagnostics } = await submissions.submit(request);
      const run = await queries.whole(header ?? (await queries.get(runId)), inputs);
      return { run, existing, diagnostics: diagnostics.map(toDiagnostic) };
    }),
    validateDocument: unary(async (request) => ({ diagnostics: (await submissions.validate(request)).map(toDiagnostic) })),
    getRun: unary(async ({ runId }) => ({ run: await queries.whole(await queries.get(runId)) })),
    readObject: serverStream((request) => queries.object(request)),
    listRuns: unary((request) => queries.list(request)),
    listTasks: unary((request) => queries.tasks(request)),
    watchRun: serverStream((request, { signal }) => queries.watch(request, signal)),
    streamLogs: serverStream((request, { signal }) => queries.logs(request, signal)),
    readTaskLog: serverStream((request) => queries.taskLog(request)),
    cancelRun: unary(async ({ runId, reason }) => ({ run: await queries.whole(await queries.cancel(runId, reason)) })),
    retryRun: unary(async ({ runId }) => ({ run: await queries.whole(await queries.retry(runId)) })),
    deleteRun: unary(async ({ runId, onlyLogs }) => {
      await (onlyLogs ? removal.logs(runId) : removal.run(runId));
      return {};
    }),
    trimCallCache: unary(({ keepBytes }) => removal.callCache(keepBytes)),
  };
}

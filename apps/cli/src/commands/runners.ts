/** `weft runners`: who executes tasks, what each has and what is held of it; drain and undrain. */
import { isServiceError } from '@weft/platform/client';
import { withRegistry } from '../client/connect-registry.js';
import { RUNNER_COLUMNS, runnerRow, runnerJson } from '../runners-table.js';
import { table } from '../table.js';

export interface RunnersOptions {
  pool: string;
  json?: boolean;
  scheduler?: string;
}

export async function runnersCommand(options: RunnersOptions): Promise<void> {
  const runners = await withRegistry(options.scheduler, (registry) => registry.list(options.pool));
  if (options.json) return void process.stdout.write(`${JSON.stringify(runners.map(runnerJson), null, 2)}\n`);
  if (runners.length === 0) return void process.stderr.write('weft: no runners\n');
  const now = new Date();
  process.stdout.write(
    table(
      RUNNER_COLUMNS,
      runners.map((runner) => runnerRow(runner, now)),
    ),
  );
}

export async function drainCommand(runnerIds: string[], draining: boolean, options: { scheduler?: string }): Promise<void> {
  await withRegistry(options.scheduler, async (registry) => {
    for (const runnerId of runnerIds) {
      try {
        await registry.drain(runnerId, draining);
        process.stdout.write(`${runnerId} ${draining ? 'draining' : 'takes tasks'}\n`);
      } catch (error) {
        if (!isServiceError(error)) throw error;
        process.stderr.write(`weft: ${error.message}\n`);
        process.exitCode = 1;
      }
    }
  });
}

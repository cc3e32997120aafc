/** The scheduler as a process. */
import './small-heap.js';
import './faults.js';
import { createLogger, loadConfig, onShutdown } from '@weft/platform';
import { startScheduler } from './app.js';
import { schedulerConfigSchema } from './wiring/config.js';

async function main(): Promise<void> {
  const scheduler = await startScheduler(loadConfig(schedulerConfigSchema));
  onShutdown(() => scheduler.close());
  process.stdout.write(
    `ready ${JSON.stringify({ service: 'scheduler', address: scheduler.address, metrics: scheduler.metricsAddress })}\n`,
  );
}

main().catch((error: unknown) => {
  createLogger('scheduler').fatal({ err: error }, 'the scheduler did not start');
  process.exitCode = 1;
});

/** Process entry: configuration from the environment, one `ready` line on stdout, logs on stderr, SIGTERM or SIGINT to close. */
import './small-heap.js';
import './faults.js';
import { ConfigError, createLogger, loadConfig, onShutdown } from '@weft/platform';
import { startStepRunner } from './app.js';
import { configSchema } from './config.js';

try {
  const runner = await startStepRunner(loadConfig(configSchema));
  onShutdown(() => runner.close());
  process.stdout.write(`ready ${JSON.stringify({ address: runner.address, runnerId: runner.runnerId })}\n`);
} catch (error) {
  const logger = createLogger('step-runner');
  if (error instanceof ConfigError) logger.fatal(error.message);
  else logger.fatal({ err: error }, 'the step-runner cannot start');
  process.exit(1);
}

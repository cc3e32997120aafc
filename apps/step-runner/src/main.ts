/** Process entry: configuration from the environment, one `ready` line on stdout, logs on stderr, SIGTERM or SIGINT to close. */
import './small-heap.js';
import { loadConfig, onShutdown } from '@weft/platform';
import { startStepRunner } from './app.js';
import { configSchema } from './config.js';

const runner = await startStepRunner(loadConfig(configSchema));
onShutdown(() => runner.close());
process.stdout.write(`ready ${JSON.stringify({ address: runner.address, runnerId: runner.runnerId })}\n`);

/**
 * Process entry of the AL coordinator.
 */
import './faults.js';
import { ConfigError, createLogger, loadConfig, onShutdown } from '@weft/platform';
import { startAlCoordinator } from './app.js';
import { AlConfigSchema } from './config.js';

async function main(): Promise<void> {
  const app = await startAlCoordinator(loadConfig(AlConfigSchema));
  onShutdown(() => app.close());
  process.stdout.write(`ready ${JSON.stringify({ address: app.address })}\n`);
}

main().catch((error: unknown) => {
  const logger = createLogger('al-coordinator');
  if (error instanceof ConfigError) logger.fatal(error.message);
  else logger.fatal({ err: error }, 'the AL coordinator cannot start');
  process.exit(1);
});

/**
 * Process entry of the AL coordinator.
 */
import { ConfigError, loadConfig, onShutdown } from '@weft/platform';
import { startAlCoordinator } from './app.js';
import { AlConfigSchema } from './config.js';

async function main(): Promise<void> {
  const app = await startAlCoordinator(loadConfig(AlConfigSchema));
  onShutdown(() => app.close());
  process.stdout.write(`ready ${JSON.stringify({ address: app.address })}\n`);
}

main().catch((error: unknown) => {
  const text = error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${JSON.stringify({ level: 60, name: 'al-coordinator', msg: `cannot start: ${text}` })}\n`);
  process.exit(1);
});

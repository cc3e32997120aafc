/** Process entry: configuration from the environment, one `ready` line on stdout, graceful end on a signal. */
import './faults.js';
import { ConfigError, createLogger, loadConfig, onShutdown } from '@weft/platform';
import { startGateway } from './app.js';
import { gatewayConfig, gatewayEnvironment } from './config/config.js';

try {
  const config = gatewayConfig(loadConfig(gatewayEnvironment()));
  const gateway = await startGateway(config);
  onShutdown(() => gateway.close());
  process.stdout.write(
    `ready ${JSON.stringify({ http: `${config.publicTls ? 'https://' : ''}${gateway.httpAddress}`, grpc: gateway.grpcAddress })}\n`,
  );
} catch (error) {
  const logger = createLogger('gateway');
  if (error instanceof ConfigError) logger.fatal(error.message);
  else logger.fatal({ err: error }, 'the gateway cannot start');
  process.exitCode = 1;
}

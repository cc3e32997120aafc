// Health check of a service: asks the standard gRPC health service, which needs no secret. Exit 0 where it is serving.
//   node deploy/health.mjs <host:port | unix:/path>
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

const PATIENCE_MS = 3000;
const [address] = process.argv.slice(2);
if (!address) {
  console.error('usage: node deploy/health.mjs <address>');
  process.exit(2);
}
const { Health } = loadPackageDefinition({ Health: service });
const client = new Health(address, credentials.createInsecure());
client.Check({ service: '' }, { deadline: Date.now() + PATIENCE_MS }, (error, answer) => {
  const status = error ? error.message : answer.status;
  if (status !== 'SERVING') console.error(`${address}: ${status}`);
  process.exit(status === 'SERVING' ? 0 : 1);
});

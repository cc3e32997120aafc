// Health check of a service: asks the standard gRPC health service, which needs no secret. Exit 0 where it is serving.
// With WEFT_TLS_CERT, WEFT_TLS_KEY and WEFT_TLS_CA it shows their certificate; the service's own must name the host in the address.
//   node deploy/health.mjs <host:port | unix:/path>
import { readFileSync } from 'node:fs';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

const PATIENCE_MS = 3000;
const [address] = process.argv.slice(2);
if (!address) {
  console.error('usage: node deploy/health.mjs <address>');
  process.exit(2);
}
const { Health } = loadPackageDefinition({ Health: service });
const client = new Health(address, credentialsFor(address));
client.Check({ service: '' }, { deadline: Date.now() + PATIENCE_MS }, (error, answer) => {
  const status = error ? error.message : answer.status;
  if (status !== 'SERVING') console.error(`${address}: ${status}`);
  process.exit(status === 'SERVING' ? 0 : 1);
});

function credentialsFor(target) {
  const [ca, key, cert] = ['CA', 'KEY', 'CERT'].map((name) => process.env[`WEFT_TLS_${name}`]);
  if (target.startsWith('unix:') || !ca || !key || !cert) return credentials.createInsecure();
  return credentials.createSsl(readFileSync(ca), readFileSync(key), readFileSync(cert));
}

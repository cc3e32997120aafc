/** The registry of runners for `weft runners`: of the scheduler that was named, else of the local stack. */
import { registry } from '@weft/contracts';
import { callUnary, createClient, createLogger, createServiceTls, loadConfig, tlsFilesOf, tlsVariables } from '@weft/platform';
import { z } from 'zod';
import { patiently } from '../stack/patience.js';
import { localScheduler } from './connect.js';

export interface RegistryClient {
  list(pool: string): Promise<registry.Runner[]>;
  drain(runnerId: string, draining: boolean): Promise<void>;
}

const tlsSchema = z.object(tlsVariables).transform((env, context) => ({ files: tlsFilesOf(env, context) }));
const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);
const CALL = { deadlineMs: 30_000, waitForReady: true, peer: 'the scheduler' };

/** @param scheduler its gRPC address; absent: the local stack's */
export async function withRegistry<T>(scheduler: string | undefined, work: (registry: RegistryClient) => Promise<T>): Promise<T> {
  const local = scheduler ? undefined : await localScheduler(say);
  // What goes over a socket of this machine is not encrypted.
  const tls = local ? undefined : createServiceTls(loadConfig(tlsSchema).files, createLogger('cli', 'silent'));
  const client = createClient(registry.RunnerRegistryClient, local?.address ?? scheduler ?? '', process.env['WEFT_SERVICE_SECRET'], tls);
  const told = <R>(answer: Promise<R>): Promise<R> => patiently(answer, { say, what: () => 'the scheduler to answer' });
  try {
    return await work({
      list: async (pool) => (await told(callUnary(client, client.listRunners, { pool }, CALL))).runners,
      drain: async (runnerId, draining) => void (await told(callUnary(client, client.drain, { runnerId, draining }, CALL))),
    });
  } finally {
    client.close();
    local?.close();
  }
}

/** A runner's heartbeat to a registry on a real socket, and its farewell. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor, registry } from '@weft/contracts';
import { createLogger, type RunningGrpcServer, startGrpcServer, unary } from '@weft/platform';
import { Inbox } from '@weft/testing';
import { Registrar } from './registrar.js';

describe('a runner and its registry', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-registrar-'));
  const said = new Inbox<string>();
  let server: RunningGrpcServer;

  beforeAll(async () => {
    const absent = unary((): Promise<never> => Promise.reject(new Error('not part of this test')));
    const implementation: registry.RunnerRegistryServer = {
      register: unary(async ({ draining, description }: registry.RegisterRequest) => {
        said.push(`${draining ? 'drains' : 'is there'} with ${description?.tasksAdmitted} tasks`);
        return { ttlMs: 600_000, unwanted: [] };
      }),
      deregister: unary(async ({ runnerId }: registry.DeregisterRequest) => {
        said.push(`${runnerId} is gone`);
        return {};
      }),
      listRunners: absent,
      drain: absent,
    };
    server = await startGrpcServer({
      listen: `unix:${join(folder, 'registry.sock')}`,
      services: [{ definition: registry.RunnerRegistryService, implementation }],
    });
  });
  afterAll(async () => {
    await server.close(0);
    rmSync(folder, { recursive: true });
  });

  it('says that it drains before it ends its tasks, and at last that it is gone', async () => {
    let tasksAdmitted = 3;
    const registrar = new Registrar({
      schedulerAddress: server.address,
      address: 'unix:/runner.sock',
      runnerId: 'r',
      describe: async () => executor.DescribeResponse.create({ runnerId: 'r', tasksAdmitted }),
      unattended: () => [],
      release: () => Promise.resolve(),
      log: createLogger('test', 'silent'),
    });
    await said.atLeast(1);
    await registrar.drain();
    tasksAdmitted = 0;
    await registrar.close();
    expect(said.items).toEqual(['is there with 3 tasks', 'drains with 3 tasks', 'r is gone']);
  });
});

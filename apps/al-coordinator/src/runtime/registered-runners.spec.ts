/** What the registry's runners can do, and the registry asked over real gRPC. */
import { registry } from '@weft/contracts';
import { ServiceError, startGrpcServer, unary } from '@weft/platform';
import { RegisteredRunners, whyNone } from './registered-runners.js';

const runner = (...runtimes: { name: string; unavailable?: string }[]): registry.Runner =>
  registry.Runner.fromPartial({ address: 'unix:/r', description: { pool: 'default', runtimes } });

describe('whyNone', () => {
  it.each<[string, registry.Runner[], string | undefined]>([
    ['one that can', [runner({ name: 'process' }), runner({ name: 'process' }, { name: 'docker' })], undefined],
    ['one that cannot now', [runner({ name: 'docker', unavailable: 'no socket' })], "no runner of pool 'x' can use docker (no socket)"],
    ['only host commands', [runner({ name: 'process' })], "no runner of pool 'x' has the runtime docker"],
  ])('%s', (_, runners, expected) => {
    expect(whyNone('x', runners)).toBe(expected);
  });
});

describe('RegisteredRunners', () => {
  it('asks for the runners of its pool; none at all is worth asking again', async () => {
    const absent = unary(async (): Promise<never> => {
      throw new ServiceError('UNIMPLEMENTED', 'not part of this test');
    });
    const pools: Record<string, registry.Runner[]> = { default: [runner({ name: 'docker' })] };
    const implementation: registry.RunnerRegistryServer = {
      register: absent,
      deregister: absent,
      drain: absent,
      listRunners: unary(async ({ pool }) => ({ runners: pools[pool] ?? [] })),
    };
    const server = await startGrpcServer({
      listen: '127.0.0.1:0',
      services: [{ definition: registry.RunnerRegistryService, implementation }],
    });
    const known = new RegisteredRunners(server.address, 'default');
    const unknown = new RegisteredRunners(server.address, 'gpu');
    expect(await known.unavailable()).toBeUndefined();
    await expect(unknown.unavailable()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: "no runner of pool 'gpu' has registered" });
    known.close();
    unknown.close();
    await server.close(0);
  });
});

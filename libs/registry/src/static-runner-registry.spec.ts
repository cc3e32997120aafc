/** Runners from a file. */
import { aRunner, createFakeRunnerRegistry } from '@weft/testing';
import { createStaticRunnerRegistry, withStaticRunners } from './static-runner-registry.adapter.js';

const { runnerId: _id, load, ...entry } = aRunner({ address: '10.0.0.7:7000' });

describe('createStaticRunnerRegistry', () => {
  it('lists what the file says', async () => {
    const { pool: _pool, draining: _draining, labels: _labels, ...short } = entry;
    const registry = createStaticRunnerRegistry({ service_registry: { a: short, b: { ...entry, pool: 'gpu' } } }, () => 5);
    expect(await registry.list()).toEqual([
      { runnerId: 'a', ...entry, load, lastSeenMs: 5 },
      { runnerId: 'b', ...entry, pool: 'gpu', load, lastSeenMs: 5 },
    ]);
    expect((await registry.list('gpu')).map((runner) => runner.runnerId)).toEqual(['b']);
  });

  it.each([
    [undefined, '(file)'],
    [{}, 'service_registry'],
    [{ service_registry: { a: 'host:1' } }, 'service_registry.a'],
    [{ service_registry: { a: { ...entry, address: 'nowhere' } } }, 'service_registry.a.address'],
    [{ service_registry: { a: { ...entry, adress: 'x' } } }, 'adress'],
    [{ service_registry: { a: { ...entry, runtimes: [] } } }, 'service_registry.a.runtimes'],
  ])('says what is wrong with %j', (file, where) => {
    expect(() => createStaticRunnerRegistry(file)).toThrow(where);
  });
});

describe('withStaticRunners', () => {
  it('lists both, and a registered runner in place of a static one', async () => {
    const registry = withStaticRunners(
      createFakeRunnerRegistry(),
      createStaticRunnerRegistry({ service_registry: { a: entry, b: entry } }),
    );
    await registry.register(aRunner({ runnerId: 'b', pool: 'gpu' }), 600_000);
    expect((await registry.list()).map((runner) => `${runner.runnerId}:${runner.pool}`).sort()).toEqual(['a:default', 'b:gpu']);
    expect((await registry.list('default')).map((runner) => runner.runnerId)).toEqual(['a']);
  });

  it('drains static runners, too', async () => {
    const registry = withStaticRunners(
      createFakeRunnerRegistry(),
      createStaticRunnerRegistry({ service_registry: { a: entry, b: entry } }),
    );
    await registry.drain('a', true);
    expect((await registry.list()).map(({ runnerId, draining }) => [runnerId, draining])).toEqual([
      ['a', true],
      ['b', false],
    ]);
  });
});

/** A registry of runners in memory, beside the fake scheduler. */
import { registry } from '@weft/contracts';
import { ServiceError, unary } from '@weft/platform';

export class FakeRegistry {
  readonly runners: registry.Runner[] = [];

  add(runnerId: string, pool: string): void {
    const description = {
      ...{
        runnerId,
        pool,
        version: '0.1.0',
        labels: { rack: 'r1' },
        sandboxRoot: '/s',
        attemptSeparator: '-',
        tasksAdmitted: 2,
        tasksWaiting: 1,
      },
      runtimes: [{ name: 'docker', version: '20', containers: true, unavailable: '', expected: false }],
      capacity: { cores: 8, ramBytes: 2 ** 33, diskBytes: 2 ** 40, gpus: 1 },
      inUse: { cores: 1.5, ramBytes: 2 ** 30, diskBytes: 0, gpus: 1 },
    };
    this.runners.push({ address: `${runnerId}:5007`, description, draining: false, lastSeen: new Date('2026-01-31T12:00:00.000Z') });
  }

  handlers(): registry.RunnerRegistryServer {
    const absent = unary((): Promise<never> => Promise.reject(new ServiceError('UNIMPLEMENTED', 'not part of this test')));
    return {
      register: absent,
      deregister: absent,
      listRunners: unary(async ({ pool }: registry.ListRunnersRequest) => ({
        runners: this.runners.filter(({ description }) => pool === '' || description?.pool === pool),
      })),
      drain: unary(async ({ runnerId, draining }: registry.DrainRequest) => {
        const found = this.runners.find(({ description }) => description?.runnerId === runnerId);
        if (!found) throw new ServiceError('NOT_FOUND', `there is no runner '${runnerId}'`);
        found.draining = draining;
        return {};
      }),
    };
  }
}

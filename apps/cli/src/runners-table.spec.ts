import { registry } from '@weft/contracts';
import { RUNNER_COLUMNS, runnerRow } from './runners-table.js';

const now = new Date('2026-01-31T12:00:05.000Z');
const runner = registry.Runner.fromPartial({
  address: 'host:5007',
  lastSeen: new Date('2026-01-31T12:00:02.000Z'),
  description: {
    ...{ runnerId: 'gpu-1', pool: 'gpu', labels: { rack: 'r1', 'weft.arch': 'x64' }, tasksAdmitted: 2 },
    runtimes: [
      { name: 'process', version: '6', containers: false, unavailable: '' },
      { name: 'docker', version: '', containers: true, unavailable: 'the engine does not answer' },
    ],
    capacity: { cores: 8, ramBytes: 2 ** 34, diskBytes: 2 ** 37, gpus: 2 },
    inUse: { cores: 1.25, ramBytes: 1.5 * 2 ** 30, diskBytes: 0, gpus: 1 },
  },
});
const named = (row: string[]): Record<string, string> => Object.fromEntries(RUNNER_COLUMNS.map((name, index) => [name, row[index] ?? '']));

it('shows what a runner has and what is held of it', () => {
  expect(named(runnerRow(runner, now))).toEqual({
    ...{ RUNNER: 'gpu-1', POOL: 'gpu', STATE: 'ready', TASKS: '2', CORES: '1.3/8', RAM: '1.5/16 GiB', DISK: '0/128 GiB', GPUS: '1/2' },
    ...{ RUNTIMES: 'process,(docker)', SEEN: '3.0 s ago', LABELS: 'rack=r1,weft.arch=x64', ADDRESS: 'host:5007' },
  });
});

it('shows who drains, and that tasks wait', () => {
  const description = { ...runner.description!, tasksWaiting: 3 };
  expect(named(runnerRow({ ...runner, draining: true, description }, now))).toMatchObject({ STATE: 'draining', TASKS: '2 (+3 waiting)' });
});

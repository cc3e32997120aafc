import { executor } from '@weft/contracts';
import { type ContainerLimits, createOptions } from './create-options.js';

describe('createOptions', () => {
  const context = { image: 'debian', runnerId: 'r', ownerId: 'o', user: '0:0', podman: false, extraHosts: ['data.example.org:10.0.0.7'] };
  const hostsOf = (network: boolean, extraHosts?: readonly string[]): string[] | undefined => {
    const spec = executor.TaskSpec.create({ taskId: 't', network });
    const task = { spec, key: 't.1', hostWorkDir: '/w', hostTmpDir: '/t', mounts: [], devices: [], readOnly: [] };
    return createOptions(task, { ...context, extraHosts }).HostConfig?.ExtraHosts;
  };

  it('tells the names of extra hosts to tasks with network, and to no others', () => {
    expect(hostsOf(true, context.extraHosts)).toEqual(['data.example.org:10.0.0.7']);
    expect(hostsOf(false, context.extraHosts)).toBeUndefined();
    expect(hostsOf(true)).toBeUndefined();
  });

  it.each<[string, string[], number, object[] | undefined]>([
    [
      'those that the runner gave it',
      ['GPU-1', 'GPU-2'],
      2,
      [{ Driver: 'nvidia', DeviceIDs: ['GPU-1', 'GPU-2'], Capabilities: [['gpu']] }],
    ],
    ['as many as it asks for, where the runner gave it none', [], 1, [{ Driver: 'nvidia', Count: 1, Capabilities: [['gpu']] }]],
    ['none', [], 0, undefined],
  ])('gives a task %s of the GPUs', (_what, devices, gpus, requests) => {
    const resources = { cores: 0, ramBytes: 0, diskBytes: 0, gpus };
    const task = {
      spec: executor.TaskSpec.create({ taskId: 't', resources }),
      key: 't.1',
      hostWorkDir: '/w',
      hostTmpDir: '/t',
      mounts: [],
      readOnly: [],
      devices,
    };
    expect(createOptions(task, context).HostConfig?.DeviceRequests).toEqual(requests);
  });

  const MIB = 1024 ** 2;
  it('gives a task the shared memory that it asks for', () => {
    const sizeOf = (shmBytes: number): number | undefined => {
      const spec = executor.TaskSpec.create({ taskId: 't', shmBytes });
      return createOptions({ spec, key: 't.1', hostWorkDir: '/w', hostTmpDir: '/t', mounts: [], devices: [], readOnly: [] }, context)
        .HostConfig?.ShmSize;
    };
    expect([sizeOf(0), sizeOf(512 * MIB)]).toEqual([undefined, 512 * MIB]);
  });

  it.each<[string, number, number, ContainerLimits | undefined, object]>([
    ['what it declares', 64, 256, { pids: 9, memory: 'reserved' }, { PidsLimit: 9, Memory: 64 * MIB, MemorySwap: 64 * MIB }],
    ['what was reserved for it', 0, 256, { pids: 9, memory: 'reserved' }, { PidsLimit: 9, Memory: 256 * MIB, MemorySwap: 256 * MIB }],
    ['what the runner gives', 0, 256, { pids: 9, memory: 512 * MIB }, { PidsLimit: 9, Memory: 512 * MIB, MemorySwap: 512 * MIB }],
    ['what it declares, also where the runner gives less', 600, 600, { pids: 9, memory: 512 * MIB }, { Memory: 600 * MIB }],
    ['no less than an engine takes', 1, 1, { pids: 9, memory: 'reserved' }, { Memory: 6 * MIB, MemorySwap: 6 * MIB }],
  ])('a container has the memory that is %s', (_what, declared, held, limits, expected) => {
    const amounts = (mib: number): executor.Resources => ({ cores: 0, ramBytes: mib * MIB, diskBytes: 0, gpus: 0 });
    const spec = executor.TaskSpec.create({ taskId: 't', resources: amounts(declared), reserved: amounts(held) });
    const task = { spec, key: 't.1', hostWorkDir: '/w', hostTmpDir: '/t', mounts: [], devices: [], readOnly: [] };
    expect(createOptions(task, { ...context, limits }).HostConfig).toMatchObject(expected);
  });
});

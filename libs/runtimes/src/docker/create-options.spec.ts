import { executor } from '@weft/contracts';
import { createOptions } from './create-options.js';

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
});

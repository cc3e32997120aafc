import { executor } from '@weft/contracts';
import { createOptions } from './create-options.js';

describe('createOptions', () => {
  const context = { image: 'debian', runnerId: 'r', user: '0:0', podman: false, extraHosts: ['data.example.org:10.0.0.7'] };
  const hostsOf = (network: boolean, extraHosts?: readonly string[]): string[] | undefined => {
    const spec = executor.TaskSpec.create({ taskId: 't', network });
    const task = { spec, key: 't.1', hostWorkDir: '/w', hostTmpDir: '/t', mounts: [] };
    return createOptions(task, { ...context, extraHosts }).HostConfig?.ExtraHosts;
  };

  it('tells the names of extra hosts to tasks with network, and to no others', () => {
    expect(hostsOf(true, context.extraHosts)).toEqual(['data.example.org:10.0.0.7']);
    expect(hostsOf(false, context.extraHosts)).toBeUndefined();
    expect(hostsOf(true)).toBeUndefined();
  });
});

/** A run with a DockerRequirement, seen from the engine: its container comes and goes, and is locked down while it is there. */
import { run } from '@weft/contracts';
import { ContainerEvents, containersOf, describeWithDocker, docker } from './docker.js';
import { Runs } from './runs-client.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

const MIB = 1024 * 1024;
const TOOL = {
  cwlVersion: 'v1.2',
  class: 'CommandLineTool',
  requirements: {
    DockerRequirement: { dockerPull: 'debian:stable-slim' },
    ResourceRequirement: { ramMin: 64, ramMax: 96, coresMin: 1, coresMax: 1 },
  },
  inputs: { gate: 'Directory' },
  baseCommand: ['sh', '-c'],
  arguments: [
    {
      // Until the test opens the gate; then says who it is and what it may do.
      valueFrom:
        'echo at the gate >&2; until [ -e "$0/go" ]; do sleep 0.1; done; id -u; ls /sys/class/net; touch "$0/x" 2>/dev/null && echo writable || echo read-only',
    },
    { valueFrom: '$(inputs.gate.path)' },
  ],
  stdout: 'said.txt',
  outputs: { said: { type: 'string', outputBinding: { glob: 'said.txt', loadContents: true, outputEval: '$(self[0].contents)' } } },
};

describeWithDocker('the engine sees', () => {
  let stack: Stack;
  let runs: Runs;
  let events: ContainerEvents;

  beforeAll(async () => {
    stack = await Stack.start();
    runs = new Runs(stack.grpc);
    events = await ContainerEvents.open();
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    events.close();
    runs.close();
    await stack.stop();
  });

  it('one container, created for the run, locked down, and destroyed', async () => {
    const gate = stack.fifo('pipe');
    const runId = await runs.submit(
      { ...TOOL, requirements: { ...TOOL.requirements, InlineJavascriptRequirement: {} } },
      { gate: { class: 'Directory', location: `file://${gate.seen}` } },
    );
    await runs.untilLogged(runId, 'at the gate');
    const { id } = await events.of(runId, 'start');
    const { Config, HostConfig, NetworkSettings } = await docker.getContainer(id).inspect();
    expect(HostConfig).toMatchObject({ NetworkMode: 'none', CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], Privileged: false });
    expect([HostConfig.CapAdd, Object.keys(NetworkSettings.Networks)]).toEqual([null, ['none']]);
    expect(HostConfig.Memory).toBe(96 * MIB);
    expect(Config.User).toBe(`${process.getuid?.()}:${process.getgid?.()}`);
    gate.open();
    const { status, outputsJson } = await runs.end(runId);
    expect(status).toBe(run.RunStatus.SUCCEEDED);
    expect((JSON.parse(outputsJson) as { said: string }).said.split('\n')).toEqual([String(process.getuid?.()), 'lo', 'read-only', '']);
    await events.of(runId, 'destroy');
    expect(
      events
        .all(runId)
        .filter(({ action }) => ['create', 'start', 'die', 'destroy'].includes(action))
        .map(({ action }) => action),
    ).toEqual(['create', 'start', 'die', 'destroy']);
    expect(await containersOf(runId)).toEqual([]);
    await stack.noSandboxLeft();
  });
});

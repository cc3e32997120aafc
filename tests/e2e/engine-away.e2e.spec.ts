/** A run whose Docker engine is killed, or stopped in order, and started again: it succeeds with its first attempt, and leaves nothing. */
import { run } from '@weft/contracts';
import { OwnEngine, ownEngineUnavailable } from '@weft/testing';
import { Runs } from './runs-client.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

const unavailable = ownEngineUnavailable();
if (unavailable !== undefined && process.env['CI'] !== 'true') console.warn(`SKIPPED: ${unavailable}`);
const describeWithEngine = unavailable === undefined || process.env['CI'] === 'true' ? describe : describe.skip;
/** Says that it waits, and goes on when the test says so; takes the engine's TERM for a reason to end well. */
const TOOL = {
  cwlVersion: 'v1.2',
  class: 'CommandLineTool',
  requirements: { DockerRequirement: { dockerPull: 'alpine:latest' }, InlineJavascriptRequirement: {} },
  inputs: { gate: 'Directory' },
  baseCommand: ['sh', '-c'],
  arguments: [
    'trap "exit 0" TERM; echo at the gate >&2; until [ -e "$0/go" ]; do sleep 0.1 & wait $!; done; echo whole > out.txt',
    '$(inputs.gate.path)',
  ],
  outputs: { out: { type: 'string', outputBinding: { glob: 'out.txt', loadContents: true, outputEval: '$(self[0].contents)' } } },
};

describeWithEngine('a Docker engine that goes away under a run', () => {
  let engine: OwnEngine;
  let stack: Stack;
  let runs: Runs;

  beforeAll(async () => {
    engine = await OwnEngine.start(['alpine:latest']);
    stack = await Stack.start({ DOCKER_HOST: engine.host });
    runs = new Runs(stack.grpc);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    runs.close();
    await stack.stop();
    await engine.dispose();
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    '%s: the run is told what it waits for, and succeeds with its first attempt',
    async (signal) => {
      const gate = stack.fifo('pipe');
      const runId = await runs.submit(TOOL, { gate: { class: 'Directory', location: `file://${gate.seen}` } });
      await runs.untilLogged(runId, 'at the gate');
      await engine.end(signal);
      await runs.untilLogged(runId, 'waiting for the Docker engine at');
      await engine.up();
      await runs.untilLogged(runId, 'is begun again (1 of 5 times)');
      gate.open();
      const ended = await runs.end(runId);
      expect(ended.status).toBe(run.RunStatus.SUCCEEDED);
      expect(JSON.parse(ended.outputsJson)).toEqual({ out: 'whole\n' });
      const shown = await stack.weft(['show', runId, '--json']);
      expect((JSON.parse(shown.stdout) as { tasks: { attempt: number }[] }).tasks.map(({ attempt }) => attempt)).toEqual([1]);
      await stack.noSandboxLeft();
      expect(engine.containers()).toEqual([]);
    },
    START_TIMEOUT_MS,
  );

  it(
    'a run that is cancelled while the engine is away ends at once, and gives its share back',
    async () => {
      const gate = stack.fifo('pipe');
      const runId = await runs.submit(TOOL, { gate: { class: 'Directory', location: `file://${gate.seen}` } });
      await runs.untilLogged(runId, 'at the gate');
      await engine.end('SIGKILL');
      await runs.untilLogged(runId, 'waiting for the Docker engine at');
      expect((await stack.weft(['cancel', runId])).code).toBe(0);
      expect((await runs.end(runId)).status).toBe(run.RunStatus.CANCELLED);
      await engine.up();
      await stack.noSandboxLeft();
      expect(engine.containers()).toEqual([]);
    },
    START_TIMEOUT_MS,
  );
});

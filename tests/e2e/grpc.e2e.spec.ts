/** The public gRPC interface on the whole system: submit, watch, logs, cancel, with the generated client and with a reflected one. */
import { readdirSync, readFileSync } from 'node:fs';
import { run } from '@weft/contracts';
import { ContainerEvents, containersOf, describeWithDocker } from './docker.js';
import { reflectedClient, Runs } from './runs-client.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

const SCATTER = {
  cwlVersion: 'v1.2',
  class: 'Workflow',
  requirements: { ScatterFeatureRequirement: {}, InlineJavascriptRequirement: {} },
  inputs: { words: 'string[]' },
  outputs: { lengths: { type: 'int[]', outputSource: 'measure/length' } },
  steps: {
    measure: {
      in: { word: 'words' },
      scatter: 'word',
      out: ['length'],
      run: {
        class: 'CommandLineTool',
        baseCommand: ['sh', '-c', 'echo "measuring $0" >&2; printf %s "$0" | wc -c'],
        inputs: { word: { type: 'string', inputBinding: {} } },
        stdout: 'length.txt',
        outputs: {
          length: { type: 'int', outputBinding: { glob: 'length.txt', loadContents: true, outputEval: '$(parseInt(self[0].contents))' } },
        },
      },
    },
  },
};
const WORDS = ['a', 'bc', '', 'äö', 'quite long'];
const LENGTHS = WORDS.map((word) => Buffer.byteLength(word));
const SLEEPER = {
  cwlVersion: 'v1.2',
  class: 'CommandLineTool',
  baseCommand: ['sh', '-c', 'echo began >&2; exec sleep 600'],
  inputs: [],
  outputs: [],
};

let stack: Stack;
let runs: Runs;

beforeAll(async () => {
  stack = await Stack.start();
  runs = new Runs(stack.grpc);
}, START_TIMEOUT_MS);
afterAll(async () => {
  runs.close();
  await stack.stop();
});

it('a scatter is watched from its first event to its outputs', async () => {
  const runId = await runs.submit(SCATTER, { words: WORDS });
  const statuses: run.RunStatus[] = [];
  const succeeded = new Set<string>();
  let outputs: unknown;
  let sequence = 0;
  for await (const event of runs.watch(runId)) {
    if (event.event?.$case !== 'note') {
      expect(event.sequence).toBeGreaterThanOrEqual(sequence);
      sequence = event.sequence;
    }
    if (event.event?.$case === 'taskStatus' && event.event.value.task?.status === run.TaskStatus.SUCCEEDED) {
      succeeded.add(event.event.value.task.index);
    }
    if (event.event?.$case === 'runStatus') {
      statuses.push(event.event.value.status);
      outputs = JSON.parse(event.event.value.outputsJson || 'null');
    }
  }
  expect([statuses[0], statuses.at(-1)]).toEqual([run.RunStatus.PENDING, run.RunStatus.SUCCEEDED]);
  expect(succeeded.size).toBe(WORDS.length);
  expect(outputs).toEqual({ lengths: LENGTHS });
  const lines: string[] = [];
  for await (const chunk of runs.logs(runId)) lines.push(chunk.text);
  for (const word of WORDS) expect(lines.join('')).toContain(`measuring ${word}\n`);
});

it('a client that knows nothing but the address does the same', async () => {
  const client = await reflectedClient(stack.grpc, 'weft.gateway.v1.Runs');
  const submit = client['Submit'] as unknown as (
    request: object,
    done: (error: unknown, answer: { run: { run_id: string } }) => void,
  ) => void;
  const request = { cwl: JSON.stringify(SCATTER), inputs_json: JSON.stringify({ words: ['x', 'yz'] }) };
  const runId = await new Promise<string>((resolve, reject) => {
    submit.call(client, request, (error, answer) => (error ? reject(error as Error) : resolve(answer.run.run_id)));
  });
  const watch = client['Watch'] as unknown as (request: object) => AsyncIterable<{ run_status?: { status: string; outputs_json: string } }>;
  let last: { status: string; outputs_json: string } | undefined;
  for await (const event of watch.call(client, { run_id: runId })) last = event.run_status ?? last;
  expect(last).toMatchObject({ status: 'RUN_STATUS_SUCCEEDED', outputs_json: '{"lengths":[1,2]}' });
  client.close();
});

it('logs arrive while the tool runs, and cancel ends its process and its sandbox', async () => {
  // Found by its arguments: the tool's own process id means nothing outside of its namespace.
  const time = `600.${process.pid}`;
  const runId = await runs.submit({ ...SLEEPER, baseCommand: ['sh', '-c', `echo here >&2; exec sleep ${time}`] });
  await runs.untilLogged(runId, 'here\n');
  await runs.cancel(runId);
  expect((await runs.end(runId)).status).toBe(run.RunStatus.CANCELLED);
  expect(commandLines().filter((words) => words.includes(time))).toEqual([]);
  await stack.noSandboxLeft();
});

function commandLines(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, 'utf8')] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

describeWithDocker('a container', () => {
  it('ends with its run when that is cancelled, and nothing is left', async () => {
    const events = await ContainerEvents.open();
    const image = { DockerRequirement: { dockerPull: 'debian:stable-slim' } };
    const runId = await runs.submit({ ...SLEEPER, requirements: image });
    await runs.untilLogged(runId, 'began');
    expect(await containersOf(runId)).toHaveLength(1);
    await runs.cancel(runId);
    expect((await runs.end(runId)).status).toBe(run.RunStatus.CANCELLED);
    await events.of(runId, 'destroy');
    expect(await containersOf(runId)).toEqual([]);
    await stack.noSandboxLeft();
    events.close();
  });
});

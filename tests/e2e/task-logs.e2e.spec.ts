/**
 * A chatty step beside one that fails: each keeps its beginning and its end, what lies between is counted, and all of it can be fetched.
 * A host task that is begun again because its runner died: what it says then is shown after a mark, and is the whole log.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '@weft/contracts';
import { Runs } from './runs-client.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

const LINES = 300_000;
/** Generous: it only keeps a test from hanging. */
const LIMIT_MS = 120_000;
const said = Array.from({ length: LINES }, (_, n) => `line ${n + 1}\n`).join('');

const tool = (script: string): object => ({
  ...{ class: 'CommandLineTool', baseCommand: ['sh', '-c', script], inputs: { after: 'Any?' }, outputs: {} },
});
const workflow = {
  ...{ cwlVersion: 'v1.2', class: 'Workflow', inputs: {}, outputs: {} },
  steps: {
    chatty: { run: tool(`seq -f 'line %.0f' ${LINES} >&2`), in: {}, out: [] },
    failing: { run: tool('echo the reason >&2; printf "\\033[31mthe end" >&2; exit 3'), in: {}, out: [] },
  },
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
}, START_TIMEOUT_MS);

it(
  'shows beginning, mark and end of each, and gives the whole by command, REST and gRPC, until the run is removed',
  async () => {
    const cwl = JSON.stringify(workflow);
    const answer = await fetch(`${stack.url}/api/v1/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ cwl, failure_mode: 'continue' }),
    });
    const { run_id: runId } = (await answer.json()) as { run_id: string };
    expect((await runs.end(runId)).status).toBe(run.RunStatus.FAILED);

    const { stdout } = await stack.weft(['logs', runId]);
    const lines = stdout.split('\n').map((line) => line.replace(/^\[\d\d:\d\d:\d\d /, '['));
    expect(lines).toContain('[chatty] line 1');
    expect(lines).toContain(`[chatty] line ${LINES}`);
    expect(lines).toContain('[failing] the reason');
    expect(lines).toContain('[failing] \u001b[31mthe end');
    const mark = lines.findIndex((line) => line.startsWith('[chatty] … '));
    const [, left = ''] = /^\[chatty\] … (\d+) lines \(\d+ bytes\) of stderr left out here/.exec(lines[mark] ?? '') ?? [];
    const chatty = lines.filter((line) => line.startsWith('[chatty] line '));
    expect(chatty.length + Number(left)).toBe(LINES);
    // At its place: what follows is the line that the count leads to.
    const before = lines.slice(0, mark).filter((line) => line.startsWith('[chatty] line ')).length;
    expect(lines.slice(mark).find((line) => line.startsWith('[chatty] line '))).toBe(`[chatty] line ${before + Number(left) + 1}`);

    expect((await stack.weft(['logs', runId, 'chatty', '--full'])).stdout === said).toBe(true);
    expect((await stack.weft(['logs', runId, 'failing', '--full'])).stdout).toBe('the reason\n\u001b[31mthe end');
    const tasks = (await (await fetch(`${stack.url}/api/v1/runs/${runId}/tasks`)).json()) as { tasks: { task_id: string; step: string }[] };
    const taskId = tasks.tasks.find(({ step }) => step === 'chatty')?.task_id ?? '';
    const whole = await fetch(`${stack.url}/api/v1/runs/${runId}/tasks/${taskId}/log`);
    expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    expect((await whole.text()) === said).toBe(true);
    const none = await fetch(`${stack.url}/api/v1/runs/${runId}/tasks/${taskId}/log?stream=stdout`);
    expect(none.status).toBe(404);
    for (const path of [`tasks/${taskId}/log?stream=system`, 'tasks/..%2f..%2fx/log?attempt=1', `tasks/${taskId}/log?attempt=0`]) {
      expect((await fetch(`${stack.url}/api/v1/runs/${runId}/${path}`)).status).toBe(400);
    }

    const file = join(dirname(stack.sandboxes), 'data', 'runs', runId, 'logs', `${taskId}.1.stderr`);
    expect(readFileSync(file, 'utf8') === said).toBe(true);
    expect((await fetch(`${stack.url}/api/v1/runs/${runId}`, { method: 'DELETE' })).status).toBe(204);
    expect(existsSync(file)).toBe(false);
  },
  LIMIT_MS,
);

/** Says which of its lives it is, at more length the first time, and waits before the gate. */
const mortal = {
  ...{ cwlVersion: 'v1.2', class: 'CommandLineTool', inputs: { gate: 'string' }, outputs: {} },
  requirements: { InlineJavascriptRequirement: {} },
  baseCommand: [
    ...['sh', '-c'],
    `cd "$0"; echo started >> starts; n=$(wc -l < starts)
     [ "$n" = 1 ] && echo "much that nobody else says: $(seq -s ' ' 200)" >&2
     echo "life $n waits" >&2; read word < pipe; echo "life $n ends" >&2`,
  ],
  arguments: ['$(inputs.gate)'],
};

it.each([[['step-runner']], [['step-runner', 'scheduler']], [['scheduler', 'step-runner', 'step-runner']]])(
  'killed one after the other: %p',
  async (killed) => {
    const gate = stack.fifo('pipe');
    const runId = await runs.submit(mortal, { gate: gate.directory });
    let life = 1;
    await runs.untilLogged(runId, 'life 1 waits');
    for (const name of killed) {
      await stack.killAndAwaitReturn(name);
      if (name === 'step-runner') await runs.untilLogged(runId, `life ${(life += 1)} waits`);
    }
    gate.open();
    expect((await runs.end(runId)).status).toBe(run.RunStatus.SUCCEEDED);

    const { stdout } = await stack.weft(['logs', runId]);
    const lines = stdout.split('\n').filter((line) => /life|nobody|begun again/.test(line));
    const lives = Array.from({ length: life - 1 }, (_, n) => [
      expect.stringMatching(/the task was lost and is begun again/),
      expect.stringMatching(`life ${n + 2} waits`),
    ]);
    expect(lines).toEqual([
      expect.stringMatching('much that nobody else says: 1 2 3'),
      expect.stringMatching('life 1 waits'),
      ...lives.flat(),
      expect.stringMatching(`life ${life} ends`),
    ]);
    const task = /^\[\S+ (\S+)\]/.exec(lines[0] ?? '')?.[1] ?? '';
    expect((await stack.weft(['logs', runId, task, '--full'])).stdout).toBe(`life ${life} waits\nlife ${life} ends\n`);
  },
  LIMIT_MS,
);

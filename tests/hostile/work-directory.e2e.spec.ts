/** Items 1, 8 and 14 of docs/solid-ground.md: traps in a work directory, which the runner opens, walks and collects. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@weft/contracts';
import { type Attack, describeWithDocker, HardenedStack, START_TIMEOUT_MS, tool } from './hardened-stack.js';

/** Publishes all that the tool leaves. */
const ALL = { all: { type: 'Directory', outputBinding: { glob: '.' } } };
const IT = { it: { type: 'File', outputBinding: { glob: 'it' } } };

describeWithDocker('a task that fills its work directory with traps', () => {
  let hardened: HardenedStack;
  const attacks: Attack[] = [];
  beforeAll(async () => {
    hardened = await HardenedStack.start();
  }, START_TIMEOUT_MS);
  afterAll(() => hardened.stop());

  async function attack(command: string, more: Parameters<typeof tool>[1]): Promise<Attack> {
    const seen = await hardened.attack(tool(command, more));
    attacks.push(seen);
    return seen;
  }

  it('reads nothing through a stream that became a link, and nothing blocks on one that became a pipe', async () => {
    const { outside } = hardened;
    const linked = await attack(`echo mine >&2; rm -f err.txt; ln -s ${outside}/secret.txt err.txt; exit 3`, { stderr: 'err.txt' });
    expect(linked.end.failure).toMatchObject({ code: 'TOOL_EXIT', exitCode: 3, stderrTail: ['mine'] });
    const piped = await attack('echo mine; rm -f it; mkfifo it', { stdout: 'it', outputs: { it: 'stdout' } });
    expect([piped.end.failure, piped.end.status]).toEqual([undefined, run.RunStatus.SUCCEEDED]);
    expect(piped.end.outputsJson).toContain('"size":5');
  });

  it('writes nothing through a link when the runner comes back and reads the output again', async () => {
    const { outside } = hardened;
    const command = `rm -f out.txt; ln -s ${outside}/open.txt out.txt; echo ready >&2; until [ -e go ]; do sleep 0.1; done; echo overwritten`;
    const runId = await hardened.submit(tool(command, { stdout: 'out.txt', outputs: { out: 'stdout' } }));
    await hardened.runs.untilLogged(runId, 'ready');
    await hardened.stack.killAndAwaitReturn('step-runner');
    // The test's own word to the task, where the harness knows that the task has its directory.
    for (const sandbox of readdirSync(hardened.stack.sandboxes).filter((name) => name.startsWith(runId)))
      writeFileSync(join(hardened.stack.sandboxes, sandbox, 'work/go'), '');
    const seen = await hardened.witness(runId);
    attacks.push(seen);
    expect([seen.end.failure, seen.end.status]).toEqual([undefined, run.RunStatus.SUCCEEDED]);
    await hardened.restarted('step-runner');
  });

  it.each([
    ['a dangling link', 'ln -s nowhere it', IT, 'OUTPUT_FILE', "'it' does not exist"],
    ['a pipe', 'mkfifo it', IT, 'OUTPUT_FILE', "'it' is a named pipe (FIFO)"],
    ['a loop', 'ln -s it it', IT, 'OUTPUT_FILE', 'symbolic links'],
    ['a link out', 'ln -s /etc/shadow it', IT, 'OUTPUT_ACCESS', 'outside the working directory'],
    ['a name that is no UTF-8', 'touch "$(printf \'it\\377\')"', ALL, 'OUTPUT_FILE', 'not UTF-8'],
    [
      'a million ways through twenty directories',
      'i=0; mkdir d20; while [ $i -lt 20 ]; do mkdir d$i; ln -s ../d$((i+1)) d$i/l; ln -s ../d$((i+1)) d$i/r; i=$((i+1)); done',
      ALL,
      'OUTPUT_FILE',
      'links to directories',
    ],
    [
      '1,500 nested directories',
      'i=0; while [ $i -lt 1500 ]; do mkdir d; cd d; i=$((i+1)); done',
      ALL,
      'OUTPUT_FILE',
      'nested more than 100',
    ],
    // What the kernel keeps of each file counts as the task's memory.
    ['too many files', 'seq 100001 | xargs touch', ALL, 'OUTPUT_FILE', 'more than 100000 entries', 512],
  ])('%s is one clear failure, after one execution', async (_, command, outputs, code, message, ramMin = 64) => {
    const requirements = [{ class: 'ResourceRequirement', coresMin: 0.25, ramMin }];
    const { end, attempts } = await attack(command, { outputs, requirements });
    expect(end.failure).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(attempts).toBe(1);
  });

  it('directories without permissions, and what the tool removed, harm nobody', async () => {
    const shut = await attack('mkdir d; echo x > d/f; chmod 000 d', { outputs: ALL });
    expect([shut.end.failure, shut.end.status]).toEqual([undefined, run.RunStatus.SUCCEEDED]);
    const gone = await attack('rm -rf ./* "$PWD"; true', { outputs: {} });
    expect(gone.attempts).toBe(1);
  });

  it('a neighbour begins beside a task that goes on, and the host is as it was', async () => {
    const runId = await hardened.submit(tool('sleep 100000'));
    await hardened.runs.untilRunning(runId);
    await hardened.neighbourRuns(runId);
    await hardened.runs.cancel(runId);
    attacks.push(await hardened.witness(runId));
    await hardened.expectUnharmed(...attacks);
  });
});

/** Items 5, 10 and 16 of docs/solid-ground.md: what one task may take of the machine, leave behind and tell, against the running stack. */
import { spawnSync } from 'node:child_process';
import { run } from '@weft/contracts';
import { describeWithDocker, oneHardenedStack, tool } from './hardened-stack.js';

const OUT = { it: { type: 'File', outputBinding: { glob: 'it' } } };
/** Fewer than by default, so that the machine does not have to have as many. */
const PIDS = 200;
/** More than so many processes take. */
const ENOUGH_MEMORY = { class: 'ResourceRequirement', coresMin: 0.25, ramMin: 512 };
const JAVASCRIPT = [{ class: 'InlineJavascriptRequirement' }, { class: 'ScatterFeatureRequirement' }];
const expressionTool = (expression: string): object => ({
  ...{ cwlVersion: 'v1.2', class: 'ExpressionTool', requirements: JAVASCRIPT },
  ...{ inputs: {}, outputs: { o: 'int' }, expression },
});

describeWithDocker('a task that takes what it can', () => {
  const { hardened, attacks, attack } = oneHardenedStack({ WEFT_TASK_PIDS: String(PIDS) });

  async function cancelled(runId: string): Promise<void> {
    await hardened().runs.cancel(runId);
    attacks.push(await hardened().witness(runId));
  }

  it('processes: a neighbour begins beside one that makes as many as it can', async () => {
    const runId = await hardened().submit(
      tool("sh -c 'while sleep 100000 & do :; done'; echo full; exec sleep 100000", { requirements: [ENOUGH_MEMORY] }),
    );
    await hardened().runs.untilLogged(runId, 'full');
    await hardened().neighbourRuns(runId);
    await cancelled(runId);
  });

  it('memory: it ends alone', async () => {
    const { end } = await attack(tool('tail /dev/zero'));
    expect(end.failure).toMatchObject({ code: 'OUT_OF_MEMORY' });
  });

  it('rights: no file that it leaves runs as somebody else', async () => {
    const { end } = await attack(
      tool('cp /bin/busybox it; chmod 6755 it; mkdir d; cp it d/it; chmod 7777 d d/it', {
        outputs: { ...OUT, d: { type: 'Directory', outputBinding: { glob: 'd' } } },
      }),
    );
    expect([end.failure, end.status]).toEqual([undefined, run.RunStatus.SUCCEEDED]);
    const found = spawnSync('find', [hardened().home, '-perm', '/6000', '-not', '-path', '*/sandboxes/*'], { encoding: 'utf8' });
    expect([found.status, found.stdout]).toEqual([0, '']);
  });

  it('the time of all expressions: those of a neighbour are evaluated meanwhile', async () => {
    const endless = {
      ...{ cwlVersion: 'v1.2', class: 'Workflow', requirements: JAVASCRIPT },
      ...{ inputs: { n: 'int[]' }, outputs: {} },
      steps: { s: { run: { ...expressionTool('${ while (true) {} }'), inputs: { n: 'int' } }, in: { n: 'n' }, scatter: 'n', out: ['o'] } },
    };
    const n = Array.from({ length: 40 }, (_, i) => i);
    const runId = await hardened().submit(endless, { n }, { failureMode: run.FailureMode.CONTINUE });
    const neighbour = await hardened().runs.submit(expressionTool('${ return { o: 6 * 7 }; }'), {}, { projectId: 'neighbour' });
    const end = await hardened().runs.end(neighbour);
    expect([end.failure, JSON.parse(end.outputsJson)]).toEqual([undefined, { o: 42 }]);
    await hardened().neighbourRuns(runId);
    await cancelled(runId);
  });

  /** The canary's text is the secret: `expectUnharmed` looks for it in all that clients see, and in every file below the home. */
  it.each([
    ['prints it and fails', 'echo "$1"; echo "$1" >&2; exit 3'],
    ['prints it in pieces', 'printf %s "${1%????}"; sleep 1; printf "%s\\n" "${1#"${1%????}"}"; exit 4'],
    ['prints it without an end', 'printf %s "$1" >&2; exit 5'],
    ['prints it again and again', 'i=0; while [ $i -lt 5000 ]; do echo "$i $1 $1"; i=$((i+1)); done; exit 6'],
    ['names what is not there after it', 'cat "/$1"'],
  ])('a secret: a tool that %s', async (_, command) => {
    const { requirements, ...rest } = tool(command) as { requirements: object[] };
    const secret = {
      ...rest,
      $namespaces: { cwltool: 'http://commonwl.org/cwltool#' },
      inputs: { password: { type: 'string', inputBinding: { position: 1 } } },
      arguments: ['sh'],
      requirements: [...requirements, { class: 'cwltool:Secrets', secrets: ['password'] }],
    };
    const { end, text } = await attack(secret, { password: hardened().secret });
    expect(end.failure).toMatchObject({ code: 'TOOL_EXIT' });
    expect(text).toContain('(secret)');
  });
});

/**
 * What wears away under a stack that lives for weeks: the TMPDIR of the shell that started it, its logs, its run directory and the clone that it came
 * from are removed one after the other. After each removal a run begins and ends, one that was under way ends, and whoever asks is answered.
 * Real processes; nothing waits for time: what is under way stands before a gate that the test opens.
 */
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutWaiting } from '@weft/testing';
import { OwnHome, type Running } from './own-home.js';
import { ROOT } from './stack.js';
import { stackProcesses } from './stack-processes.js';

/** Several of them find room on one core. */
const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\nrequirements: { ResourceRequirement: { coresMin: 0.1, ramMin: 16 } }\n';
const DOCUMENTS = {
  'brief.cwl': `${TOOL}inputs: []\noutputs: { out: stdout }\nstdout: out.txt\nbaseCommand: [echo, hello]\n`,
  'gated.cwl': `${TOOL}inputs: { go: string }\noutputs: { out: stdout }\nstdout: out.txt\nbaseCommand: [sh, -c, 'cat < "$0"']\narguments: [$(inputs.go)]\n`,
};

type Worn = 'TMPDIR' | 'logs' | 'run' | 'clone';

/** A stack and the shell that started it, whose TMPDIR stays set to what is no more. */
class WornStack {
  readonly own = new OwnHome({ WEFT_CALL_CACHE: 'off' });
  private readonly scratch = join(this.own.folder, 'scratch');
  private readonly clone = join(this.own.folder, 'clone');
  private gates = 0;

  constructor() {
    for (const [name, text] of Object.entries(DOCUMENTS)) writeFileSync(join(this.own.folder, name), text);
    for (const folder of [this.scratch, this.clone]) mkdirSync(folder);
    cpSync(join(ROOT, 'dist'), join(this.clone, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(this.clone, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.clone, 'node_modules'));
  }

  /** By the clone's program while there is one, then by another clone's of the same build. */
  weft(...args: string[]): Running {
    const cli = join(this.clone, 'dist/cli.mjs');
    return this.own.start(args, { TMPDIR: this.scratch }, existsSync(cli) ? cli : undefined);
  }

  async begin(): Promise<{ ends: () => Promise<void> }> {
    const gate = this.own.gate(`gate-${(this.gates += 1)}`);
    const run = this.weft('run', '--outdir', `out-${this.gates}`, 'gated.cwl', '--go', gate.path);
    await run.says(/started/);
    return {
      ends: async () => {
        gate.open();
        expect(await run.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/succeeded|completed|done/) });
      },
    };
  }

  remove(what: Worn): void {
    const { [what]: path } = {
      TMPDIR: this.scratch,
      logs: join(this.own.home, 'logs'),
      run: join(this.own.home, 'run'),
      clone: this.clone,
    };
    rmSync(path, { recursive: true });
  }

  /** Whoever asks is answered, and a new run runs. */
  async goesOn(): Promise<void> {
    const ran = await this.weft('run', '--quiet', '--outdir', 'out', 'brief.cwl').ended;
    expect([ran.code, withoutWaiting(ran.stderr)]).toEqual([0, '']);
    const listed = await this.weft('ls').ended;
    expect([listed.code, withoutWaiting(listed.stderr)]).toEqual([0, '']);
    expect(listed.stdout).toMatch(/running/);
    const { stdout, stderr } = await this.weft('doctor').ended;
    expect([stderr, stdout]).toEqual(['', expect.stringMatching(/✓ stack/)]);
    // It is the shell that has no temporary folder any more, not the stack.
    if (!existsSync(this.scratch))
      expect(stdout).toMatch(/host tools .*no temporary folder can be made in .*scratch: it does not exist; set TMPDIR/);
  }
}

let stack: WornStack;
beforeEach(() => (stack = new WornStack()));
afterEach(() => stack.own.remove());

const ORDERS: Worn[][] = [
  ['TMPDIR', 'logs', 'run', 'clone'],
  ['clone', 'run', 'logs', 'TMPDIR'],
  ['run', 'clone', 'TMPDIR', 'logs'],
];

it.each(ORDERS.map((order) => [order]))('%p: the stack goes on', async (order) => {
  const throughout = await stack.begin();
  const before = stack.own.pids();
  for (const what of order) {
    const underWay = await stack.begin();
    stack.remove(what);
    await stack.goesOn();
    await underWay.ends();
  }
  expect(stack.own.pids()).toEqual(before);

  // Its programs are started again without what is gone.
  for (const name of ['scheduler', 'step-runner']) process.kill(stack.own.pid(name), 'SIGKILL');
  await stack.goesOn();
  await throughout.ends();

  expect(await stack.weft('down').ended).toMatchObject({ code: 0, stderr: 'weft: stopped' });
  expect(stackProcesses(stack.own.home)).toEqual([]);
});

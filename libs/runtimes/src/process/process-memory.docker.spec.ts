/** A process that the kernel really kills: needs a memory cgroup of its own, as a container engine does. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogRecorder, SandboxFixture } from '../contract/runtime.contract.js';
import type { ExitStatus } from '../ports.js';
import { OomKills } from './oom-kills.js';
import { ProcessRuntime } from './process-runtime.js';

const LIMIT_BYTES = 20 * 1024 ** 2;
const version1 = existsSync('/sys/fs/cgroup/memory/cgroup.procs');
const group = `${version1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup'}/weft-spec-${process.pid}`;

describe('a process that is killed', () => {
  let sandbox: SandboxFixture;
  let runtime: ProcessRuntime;
  let kills: OomKills;
  beforeAll(() => {
    if (!version1) writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+memory');
    mkdirSync(group);
    writeFileSync(join(group, version1 ? 'memory.limit_in_bytes' : 'memory.max'), String(LIMIT_BYTES));
    const swap = join(group, version1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max');
    if (existsSync(swap)) writeFileSync(swap, version1 ? String(LIMIT_BYTES) : '0');
    kills = OomKills.in(join(group, version1 ? 'memory.oom_control' : 'memory.events'));
    runtime = new ProcessRuntime({ oomKills: kills });
    sandbox = new SandboxFixture(false, undefined);
  });
  afterAll(async () => {
    await runtime.close();
    sandbox.dispose();
    rmdirSync(group);
  });
  const run = async (script: string): Promise<ExitStatus> => {
    const running = await runtime.start(sandbox.shell(script), { log: new LogRecorder().log, preparing: () => undefined });
    const status = await running.wait();
    await running.remove();
    return status;
  };

  it('for its memory is told from one that is killed for another reason', async () => {
    expect(await run(`echo $$ > ${group}/cgroup.procs; exec tail /dev/zero`)).toMatchObject({ outcome: 'out-of-memory', exitCode: 137 });
    expect(await run('kill -9 $$')).toMatchObject({ outcome: 'exited', exitCode: 137 });
  });

  it('with children: the shell around it says so by its exit code', async () => {
    expect(await run(`(echo $(exec sh -c 'echo $PPID') > ${group}/cgroup.procs; exec tail /dev/zero)`)).toMatchObject({
      outcome: 'out-of-memory',
      exitCode: 137,
    });
  });
});

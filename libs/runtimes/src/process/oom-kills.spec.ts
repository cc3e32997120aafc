import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OomKills, oomFile } from './oom-kills.js';

describe('where kills for want of memory are counted', () => {
  it.each<[string, string, string[], string]>([
    ['cgroup v2', '0::/user.slice/a\n', ['/sys/fs/cgroup/user.slice/a/memory.events'], '/sys/fs/cgroup/user.slice/a/memory.events'],
    ['the root of cgroup v2, which has no such file', '0::/\n', [], '/proc/vmstat'],
    [
      'cgroup v1',
      '9:cpu:/\n4:memory:/b\n0::/\n',
      ['/sys/fs/cgroup/memory/b/memory.oom_control'],
      '/sys/fs/cgroup/memory/b/memory.oom_control',
    ],
    ['controllers together', '4:cpu,memory:/\n', ['/sys/fs/cgroup/memory/memory.oom_control'], '/sys/fs/cgroup/memory/memory.oom_control'],
    ['no cgroups', '', [], '/proc/vmstat'],
  ])('%s', (_what, cgroups, there, wanted) => expect(oomFile(cgroups, (path) => there.includes(path))).toBe(wanted));

  it('reads the count again every time, and knows when there is none', () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-oom-'));
    const file = join(directory, 'memory.events');
    writeFileSync(file, 'low 0\noom 7\noom_kill 2\noom_group_kill 9\n');
    const kills = OomKills.in(file);
    expect(kills.count()).toBe(2);
    writeFileSync(file, 'oom_kill 3\n');
    expect(kills.count()).toBe(3);
    writeFileSync(file, 'low 0\n');
    expect(kills.count()).toBeUndefined();
    kills.close();
    expect(OomKills.in(join(directory, 'none')).count()).toBeUndefined();
    rmSync(directory, { recursive: true });
  });
});

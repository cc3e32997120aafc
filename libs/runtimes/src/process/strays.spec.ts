import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  descendantsOf,
  environmentIn,
  isGone,
  lastPid,
  parseStat,
  type ProcessEntry,
  readProcesses,
  type Strays,
  straysOf,
} from './strays.js';

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

// A process that ends between two looks at /proc must not stop the sweep; under Jest such an error is of another realm.
it('recognises what is gone by the code of the error alone', () => {
  expect(isGone(errorOf(() => readFileSync('/proc/0/stat')))).toBe(true);
  expect(isGone(errorOf(() => process.kill(2 ** 22 + 1, 0)))).toBe(true);
  expect(isGone(errorOf(() => readFileSync('/proc')))).toBe(false);
  expect([isGone(undefined), isGone(null), isGone('ENOENT')]).toEqual([false, false, false]);
});

it('looks at those that were made since, and at all where it is not told since when', async () => {
  const before = lastPid();
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const pidsOf = (entries: ProcessEntry[] | undefined): number[] => (entries ?? []).map(({ pid }) => pid);
  expect(pidsOf(readProcesses(before))).toContain(child.pid);
  expect(pidsOf(readProcesses())).toEqual(expect.arrayContaining([child.pid, process.pid]));
  // Pids have begun again at the bottom since.
  expect(pidsOf(readProcesses(2 ** 22))).toEqual(expect.arrayContaining([child.pid, process.pid]));
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(pidsOf(readProcesses(before))).not.toContain(child.pid);
});

describe('strays', () => {
  const entry = (pid: number, more: Partial<ProcessEntry> = {}): ProcessEntry => ({
    ...{ pid, parent: 1, group: pid, session: pid, startedAt: 7 },
    ...more,
  });
  const mark = { launcher: 10, since: 5, lastPid: undefined, directories: ['/s/t.1/work', '/s/t.1/tmp'] };
  const straysAmong = (others: ProcessEntry[], environment: Record<number, string> = {}): number[] => foundAmong(others, environment).pids;
  const foundAmong = (others: ProcessEntry[], environment: Record<number, string | undefined>): Strays =>
    straysOf(mark, [entry(10, { startedAt: 1 }), ...others], (pid) => (pid in environment ? environment[pid] : ''));

  it.each<[string, ProcessEntry[], Record<number, string>, number[]]>([
    ['not the launcher', [], { 10: 'HOME=/s/t.1/work' }, []],
    ['in its group', [entry(11, { group: 10 })], {}, [11]],
    ['in its session', [entry(11, { session: 10 })], {}, [11]],
    ['descended from it', [entry(11, { parent: 10 }), entry(13, { parent: 12 }), entry(12, { parent: 11 })], {}, [11, 13, 12]],
    ['with its directories, started since', [entry(11)], { 11: 'A=b\0TMPDIR=/s/t.1/tmp\0' }, [11]],
    ['not what only mentions them', [entry(11)], { 11: 'PWD=/s/t.1/work/sub\0X=TMPDIR=/s/t.1/tmpx' }, []],
    ['not what started before', [entry(11, { startedAt: 4 })], { 11: 'HOME=/s/t.1/work' }, []],
    ['nor what has lost every trace', [entry(11)], {}, []],
  ])('are %s', (_, others, environment, wanted) => {
    expect(straysAmong(others, environment)).toEqual(wanted);
  });

  it.each<[string, ProcessEntry, boolean]>([
    ['one that is in an exec', entry(12), true],
    ['not one that started before', entry(12, { startedAt: 4 }), false],
    ['not one that is known by other signs', entry(12, { session: 10 }), false],
  ])('may not be told yet: %s', (_, other, undecided) => {
    expect(foundAmong([entry(11, { group: 10 }), other], { 12: undefined }).undecided).toBe(undecided);
  });

  it('descend in a table that is no tree any more', () => {
    expect(descendantsOf(10, [entry(11, { parent: 12 }), entry(12, { parent: 11 }), entry(13, { parent: 10 })])).toEqual([13]);
  });

  it('are read from lines with awkward names, without zombies', () => {
    const fields = `1 10 9 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 777 0`;
    expect(parseStat(`42 (a) b) R ${fields}`)).toEqual({ pid: 42, parent: 1, group: 10, session: 9, startedAt: 777 });
    expect(parseStat(`42 (x) Z ${fields}`)).toBeUndefined();
    expect(parseStat('')).toBeUndefined();
  });
});

describe('a process in an exec', () => {
  // One that does nothing but exec itself, with the directory in its environment, until it is killed.
  it('is never taken for another task’s', async () => {
    const before = lastPid();
    // One that an earlier run of this test did not come to end must not be found.
    const directory = `/no/such/${randomUUID()}`;
    const mark = { launcher: -1, since: 0, lastPid: before, directories: [directory] };
    const script = 'exec /bin/sh -c "$0" "$0"';
    const child = spawn('/bin/sh', ['-c', script, script], { stdio: 'ignore', detached: true, env: { HOME: directory } });
    await once(child, 'spawn');
    let unseen = 0;
    for (let look = 0; look < 2_000; look++) {
      const own = (readProcesses((child.pid ?? 1) - 1) ?? []).filter(({ pid }) => pid === child.pid);
      const { pids, undecided } = straysOf(mark, own);
      if (pids.length === 0 && !undecided) unseen++;
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(unseen).toBe(0);
    expect(straysOf(mark, readProcesses(before) ?? [])).toEqual({ pids: [], undecided: false });
  });

  it.each<[string, Record<number, string>, string]>([
    ['has some where it has a place', {}, 'some'],
    ['has none where its place is empty', { 51: '50' }, 'none'],
    ['tells nothing at first', { 26: '0', 50: '0', 51: '0' }, 'not told'],
    ['seems to have none while it is measured', { 26: '0', 51: '50' }, 'not told'],
    ['has not ended before its code has a place', { 26: '0' }, 'not told'],
  ])('%s', (_, fields, told) => {
    const line = Array.from({ length: 49 }, (_, index) => fields[index + 4] ?? String(index + 4));
    expect(environmentIn(`42 (a) b) R ${line.join(' ')}`)).toBe(told);
  });

  it('that is gone has told nothing', () => expect(environmentIn('')).toBe('not told'));
});

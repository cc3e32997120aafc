import type { Place } from './place.js';
import { type Sight, afterWatching, judge } from './verdict.js';

const FIRST = 'pid:[4026531836]';
const login: Place = { host: 'login1', machineId: 'm1', bootId: 'b1', pidNamespace: FIRST };
const rebooted: Place = { ...login, bootId: 'b2' };
const renamed: Place = { ...login, host: 'login1.local' };
const node: Place = { host: 'node7', machineId: 'm7', bootId: 'b7', pidNamespace: FIRST };
const container: Place = { ...login, pidNamespace: 'pid:[4026532200]' };
const twin: Place = { ...login, bootId: 'b9', pidNamespace: 'pid:[4026532300]' };

const heldAt = (place: Place): Sight => ({
  claim: { token: 't', place, process: { pid: 1, startedAt: '5' }, socket: '/s', since: '' },
  beat: '1',
  released: false,
});

describe('judge', () => {
  it.each([
    ['its process lives here', login, login, true, 'here'],
    ['its process does not live here any more', login, login, false, 'dead'],
    ['the same, after this machine got another name', renamed, login, true, 'here'],
    ['this machine was started again since', login, rebooted, true, 'dead'],
    ['another machine', login, node, false, 'elsewhere'],
    ['a container of this machine has it: its ids say nothing here', container, login, false, 'watch'],
    ['this is a container of that machine', login, container, true, 'watch'],
    ['two containers with one name and one machine id', container, twin, true, 'watch'],
    ['a container on another machine', twin, node, true, 'watch'],
    ['the same container', container, container, true, 'here'],
  ] as const)('%s', (_, holder, self, alive, verdict) => {
    expect(judge(heldAt(holder), self, () => alive)).toBe(verdict);
  });

  it('believes that a state is free only where its holder has let go', () => {
    expect(judge({ ...heldAt(node), released: true }, login, () => true)).toBe('free');
    expect(judge({ claim: 'unreadable', beat: '', released: false }, login, () => true)).toBe('watch');
  });

  it('asks for processes only where their ids mean something', () => {
    const asked: Place[] = [];
    for (const place of [login, node, container, twin, rebooted]) judge(heldAt(place), login, () => (asked.push(place), true));
    expect(asked).toEqual([login]);
  });
});

describe('afterWatching', () => {
  const look = (beat: string, released = false) => ({ beat, released });
  it.each([
    ['one look', [look('1')], true, 'watch'],
    ['no change yet', [look('1'), look('1')], true, 'watch'],
    ['a change', [look('1'), look('1'), look('2')], true, 'elsewhere'],
    ['a change back, too', [look('2'), look('1')], true, 'elsewhere'],
    ['no change for long', [look('1'), look('1')], false, 'silent'],
    ['let go meanwhile', [look('1'), look('released', true)], true, 'free'],
  ] as const)('%s', (_, looks, patient, verdict) => {
    expect(afterWatching(looks, patient)).toBe(verdict);
  });
});

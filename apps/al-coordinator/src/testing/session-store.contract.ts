/**
 * What every session store must do; run against the one in memory and against Redis.
 */
import type { SessionStore } from '../store/session-store.port.js';
import { aCommand, aSession } from './builders.js';

export function sessionStoreContract(make: () => SessionStore): void {
  it('gives back what was stored, with its version', async () => {
    const store = make();
    const command = aCommand('start_querying', { batch_size: 3 });
    expect(await store.commit({ session: aSession({ labels: { '1': 'ä' } }), commands: [command] })).toBe(true);
    expect(await store.getSession('p', 'session-1')).toEqual(aSession({ labels: { '1': 'ä' }, version: 1 }));
    expect(await store.getCommand('p', command.commandId)).toEqual(command);
    expect(await store.listCommands('p', 'session-1')).toEqual([command]);
  });

  it('knows nothing of other projects', async () => {
    const store = make();
    await store.commit({ session: aSession(), commands: [aCommand('start_querying')], key: { key: 'k', commandId: 'cmd-start_querying' } });
    expect(await store.getSession('q', 'session-1')).toBeUndefined();
    expect(await store.getCommand('q', 'cmd-start_querying')).toBeUndefined();
    expect(await store.listSessions('q')).toEqual([]);
    expect(await store.commandOfKey('q', 'k')).toBeUndefined();
  });

  it('refuses a session that was changed since it was read, and changes nothing', async () => {
    const store = make();
    await store.commit({ session: aSession(), commands: [] });
    expect(await store.commit({ session: aSession({ version: 1, round: 1 }), commands: [] })).toBe(true);
    expect(await store.commit({ session: aSession({ version: 1, round: 9 }), commands: [aCommand('evaluate_model')] })).toBe(false);
    expect(await store.commit({ session: aSession({ round: 9 }), commands: [] })).toBe(false);
    expect((await store.getSession('p', 'session-1'))?.round).toBe(1);
    expect(await store.getCommand('p', 'cmd-evaluate_model')).toBeUndefined();
  });

  it('lets exactly one of many writers of a version through', async () => {
    const store = make();
    await store.commit({ session: aSession(), commands: [] });
    const writes = Array.from({ length: 10 }, (_, round) => store.commit({ session: aSession({ version: 1, round }), commands: [] }));
    expect((await Promise.all(writes)).filter(Boolean)).toHaveLength(1);
  });

  it('takes an idempotency key once', async () => {
    const store = make();
    const first = aCommand('start_querying', {}, { commandId: 'cmd-1' });
    expect(await store.commit({ session: aSession(), commands: [first], key: { key: 'k', commandId: 'cmd-1' } })).toBe(true);
    const other = aSession({ sessionId: 'session-2' });
    expect(await store.commit({ session: other, commands: [], key: { key: 'k', commandId: 'cmd-2' } })).toBe(false);
    expect(await store.commandOfKey('p', 'k')).toBe('cmd-1');
    expect(await store.getSession('p', 'session-2')).toBeUndefined();
  });

  it('lists sessions and commands oldest first', async () => {
    const store = make();
    const of = (name: string) => aCommand(name, {}, { sessionId: 'c' });
    const at = (second: number): string => `2026-01-02T03:04:0${second}.000Z`;
    await store.commit({ session: aSession({ sessionId: 'b', createdAt: at(2) }), commands: [] });
    await store.commit({ session: aSession({ sessionId: 'a', createdAt: at(3) }), commands: [] });
    await store.commit({ session: aSession({ sessionId: 'c', createdAt: at(1) }), commands: [of('start_querying')] });
    await store.commit({ session: aSession({ sessionId: 'c', createdAt: at(1), version: 1 }), commands: [of('evaluate_model')] });
    await store.commit({ session: aSession({ sessionId: 'c', createdAt: at(1), version: 2 }), commands: [of('start_querying')] });
    expect((await store.listSessions('p')).map((session) => session.sessionId)).toEqual(['c', 'b', 'a']);
    expect((await store.listCommands('p', 'c')).map((command) => command.parsed.name)).toEqual(['start_querying', 'evaluate_model']);
  });

  it('pages through the sessions of all projects, newest first', async () => {
    const store = make();
    const odd = 'a:{b} ü';
    const at = (second: number): string => `2026-01-02T03:04:0${second}.000Z`;
    for (const [second, projectId] of ['p', odd, 'p', 'q', odd].entries()) {
      await store.commit({ session: aSession({ sessionId: `s${second}`, projectId, createdAt: at(second) }), commands: [] });
    }
    await store.commit({ session: aSession({ sessionId: 's0', createdAt: at(0), version: 1 }), commands: [] });
    const seen: string[] = [];
    let pages = 0;
    for (let after: string | undefined, more = true; more; pages += 1) {
      const page = await store.listAllSessions(2, after);
      seen.push(...page.sessions.map((session) => `${session.projectId}/${session.sessionId}`));
      after = page.next;
      more = after !== undefined;
    }
    expect([pages, seen]).toEqual([3, [`${odd}/s4`, 'q/s3', 'p/s2', `${odd}/s1`, 'p/s0']]);
    expect(await store.listAllSessions(5)).not.toHaveProperty('next');
  });

  it('names the open commands of every project until they end', async () => {
    const store = make();
    const odd = 'a {project}: ü';
    await store.commit({ session: aSession(), commands: [aCommand('start_querying')] });
    await store.commit({ session: aSession({ projectId: odd }), commands: [aCommand('prompt_training', {}, { projectId: odd })] });
    expect((await store.openCommands()).map((command) => command.projectId).sort()).toEqual([odd, 'p']);
    const done = aCommand('start_querying', {}, { status: 'completed', finishedAt: '2026-01-02T03:04:06.000Z' });
    await store.commit({ session: aSession({ version: 1 }), commands: [done] });
    expect((await store.openCommands()).map((command) => command.projectId)).toEqual([odd]);
  });
}

/** From what a runner sends to what a reader is shown: beginning, marks and end make up what was written, whatever was left out or sent twice. */
import { createLogger } from '@weft/platform';
import { partitionOf, type StoredChunk, TASK_LOG_HEAD_BYTES, TASK_LOG_TAIL_BYTES, type TaskLogs } from '@weft/run-store';
import { accepted, aRunHeader, createFakeRunStore } from '@weft/testing';
import * as fc from 'fast-check';
import { TaskLogBuffer } from '../execution/log/task-log-buffer.js';
import { withMarks } from './log-marks.js';

const logger = createLogger('test', 'silent');
const RUN = 'r-1';
/** Long texts by names, so that a counterexample can be read. */
const LONG: Record<string, string> = { many: '🧬\n'.repeat(2000), lines: '\n'.repeat(20_000) };
const job = (taskId: string, attempt = 1) => ({ runId: RUN, taskId, attempt, step: 'say', index: '3' });

const BEGUN = expect.stringMatching(/^… the task was lost and is begun again/);
const ends = (data: Buffer): number => data.toString('latin1').split('\n').length - 1;

async function aStore(): Promise<TaskLogs> {
  const store = createFakeRunStore();
  await store.intake.create(aRunHeader({ runId: RUN }), accepted(RUN));
  expect(partitionOf(RUN)).toBeGreaterThanOrEqual(0);
  return store.taskLogs;
}

async function shown(logs: TaskLogs, taskId = '', cursor = ''): Promise<StoredChunk[]> {
  const found = [];
  const chunks = logs.stream(RUN, cursor, false, new AbortController().signal);
  for await (const chunk of withMarks(chunks, { taskId, fromStart: cursor === '' })) found.push(chunk);
  return found;
}

/** Checks every chunk against what was written, and gives how much of it was shown. */
function checked(found: StoredChunk[], all: Buffer): number {
  let [byte, line, seen] = [0, 0, 0];
  for (const { omitted, text } of found) {
    if (omitted) {
      const left = all.subarray(byte, byte + omitted.bytes).toString();
      expect(left.split('\n').length - 1).toBe(omitted.lines);
      byte += omitted.bytes;
      line += omitted.lines;
      continue;
    }
    const bytes = Buffer.from(text);
    expect(bytes.equals(all.subarray(byte, byte + bytes.length))).toBe(true);
    byte += bytes.length;
    seen += bytes.length;
    line += text.split('\n').length - 1;
  }
  expect([byte, line]).toEqual([all.length, all.toString().split('\n').length - 1]);
  return seen;
}

it('shows every byte once, or counts it', async () => {
  const piece = fc.record({
    text: fc.constantFrom('a\n', 'é', 'no end', 'x'.repeat(3000) + '\n', 'many', 'lines'),
    lost: fc.boolean(),
    again: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 30 }), async (pieces) => {
      const logs = await aStore();
      const buffer = new TaskLogBuffer(logs, logger);
      const log = buffer.of(job('t'), false);
      const [parts, last]: [Buffer[], number] = [[], pieces.length - 1];
      let [offset, line] = [0, 0];
      for (const [n, { text, lost, again }] of pieces.entries()) {
        const data = Buffer.from(LONG[text] ?? text);
        // The end is always sent.
        if (!lost || n === last) log.take('stderr', data, { offset, line });
        if (again && !lost) log.take('stderr', data, { offset, line });
        if (n % 3 === 0) await buffer.flushed(RUN);
        parts.push(data);
        offset += data.length;
        line += data.toString().split('\n').length - 1;
      }
      await buffer.flushed(RUN);
      const all = Buffer.concat(parts);
      checked(await shown(logs), all);
    }),
    { numRuns: 60 },
  );
});

it('shows every life of a task that was begun again, whole and in order, whatever is sent twice and whoever attaches', async () => {
  const life = fc.record({
    texts: fc.array(fc.constantFrom('a\n', 'no end', 'é\n', 'x'.repeat(3000) + '\n', 'many'), { minLength: 1, maxLength: 6 }),
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    /** By a dispatcher that has followed it from its beginning, or by one that comes to it. */
    attaches: fc.boolean(),
    again: fc.boolean(),
  });
  // Nothing is left out of what is no longer than the end that is kept, whichever lives wrote it.
  const bytes = (texts: string[]): number => Buffer.byteLength(texts.map((text) => LONG[text] ?? text).join(''));
  const kept = fc
    .array(life, { minLength: 1, maxLength: 5 })
    .filter((lives) => bytes(lives.flatMap(({ texts }) => texts)) <= TASK_LOG_TAIL_BYTES);
  await fc.assert(
    fc.asyncProperty(kept, async (lives) => {
      const logs = await aStore();
      const buffer = new TaskLogBuffer(logs, logger);
      let log = buffer.of(job('t'), false);
      const expected: string[] = [];
      for (const [n, { texts, stream, attaches, again }] of lives.entries()) {
        if (attaches) log = buffer.of(job('t'), true);
        const pieces = texts.map((text) => Buffer.from(LONG[text] ?? text));
        const send = (): void => {
          let offset = 0;
          for (const data of pieces) {
            log.take(stream, data, { offset, line: ends(Buffer.concat(pieces).subarray(0, offset)), life: `life ${n}` });
            offset += data.length;
          }
        };
        send();
        if (again) send();
        // What comes late of a life that is over is nothing new.
        if (n > 0 && !attaches) log.take(stream, Buffer.from('late'), { offset: 1_000_000, line: 0, life: `life ${n - 1}` });
        await buffer.flushed(RUN);
        if (n > 0) expected.push('begun again');
        expected.push(`${stream}: ${Buffer.concat(pieces).toString()}`);
      }
      const found: string[] = [];
      for (const { stream, text } of await shown(logs)) {
        if (stream === 'system') found.push(/begun again/.exec(text)?.[0] ?? text);
        else if (found.at(-1)?.startsWith(`${stream}: `)) found[found.length - 1] += text;
        else found.push(`${stream}: ${text}`);
      }
      expect(found).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

it('a dispatcher that comes late with what a former life wrote brings none of it back', async () => {
  const logs = await aStore();
  const buffer = new TaskLogBuffer(logs, logger);
  const [here, late] = [buffer.of(job('t'), false), buffer.of(job('t'), true)];
  const say = (log: typeof here, text: string, life: string): void => log.take('stderr', Buffer.from(text), { offset: 0, line: 0, life });
  say(here, 'first\n', 'a');
  say(here, 'second\n', 'b');
  await buffer.flushed(RUN);
  const cursor = (await shown(logs)).at(-1)?.cursor;
  say(late, 'first\n', 'a');
  await buffer.flushed(RUN);
  say(here, 'third\n', 'c');
  await buffer.flushed(RUN);
  expect((await shown(logs)).map(({ text }) => text)).toEqual(['first\n', BEGUN, 'second\n', BEGUN, 'third\n']);
  expect((await shown(logs, '', cursor)).map(({ text }) => text)).toEqual(expect.arrayContaining([BEGUN, 'third\n']));
});

it('keeps no more of a runner that sends everything than its beginning and its end', async () => {
  const logs = await aStore();
  const buffer = new TaskLogBuffer(logs, logger);
  const log = buffer.of(job('t'), false);
  const text = Array.from({ length: 100_000 }, (_, n) => `line ${n}\n`).join('');
  for (let at = 0; at < text.length; at += 1000) log.take('stdout', Buffer.from(text.slice(at, at + 1000)));
  await buffer.flushed(RUN);
  const found = await shown(logs);
  const seen = checked(found, Buffer.from(text));
  expect(seen).toBeGreaterThanOrEqual(TASK_LOG_HEAD_BYTES + TASK_LOG_TAIL_BYTES);
  expect(seen).toBeLessThanOrEqual(TASK_LOG_HEAD_BYTES + TASK_LOG_TAIL_BYTES + 4000);
  expect(found.filter(({ omitted }) => omitted)).toHaveLength(1);
  expect(found.find(({ omitted }) => omitted)).toMatchObject({ taskId: 't', attempt: 1, index: '3', step: 'say', stream: 'system' });
});

it('cannot be pushed out of the log by a chatty neighbour', async () => {
  const logs = await aStore();
  const buffer = new TaskLogBuffer(logs, logger);
  const [failing, chatty] = [buffer.of(job('failing'), false), buffer.of(job('chatty'), false)];
  failing.take('stderr', Buffer.from('the reason\n'));
  for (let n = 0; n < 3000; n++) {
    chatty.take('stdout', Buffer.alloc(8000, 'noise\n'));
    if (n % 100 === 0) await buffer.flushed(RUN);
  }
  failing.take('stderr', Buffer.from('the end\n'));
  failing.failed();
  await buffer.flushed(RUN);
  expect((await shown(logs, 'failing')).map(({ text }) => text)).toEqual(['the reason\n', 'the end\n']);
});

it('says how much of a run went altogether, and that a task of which nothing is left may have said something', async () => {
  const logs = await aStore();
  const buffer = new TaskLogBuffer(logs, logger);
  for (let n = 0; n < 1000; n++) {
    const log = buffer.of(job(`t${n}`), false);
    log.take('stdout', Buffer.from(`${n}\n`.padStart(8000, 'y')));
    if (n < 20) log.failed();
  }
  await buffer.flushed(RUN);
  const found = await shown(logs);
  const [mark, ...rest] = found;
  expect(mark).toMatchObject({ taskId: '', stream: 'system', omitted: { bytes: expect.any(Number) } });
  const there = rest.reduce((sum, { text }) => sum + text.length, 0);
  expect(there + (mark?.omitted?.bytes ?? 0)).toBe(8_000_000);
  expect(mark?.omitted?.lines).toBe(1000 - rest.length);
  // The failed ones are there still: the newest of them.
  const ids = new Set(rest.map(({ taskId }) => taskId));
  expect(Array.from({ length: 20 }, (_, n) => ids.has(`t${n}`))).toEqual(Array.from({ length: 20 }, (_, n) => n >= 4));
  expect((await shown(logs, 't30')).map(({ omitted }) => omitted?.bytes)).toEqual([mark?.omitted?.bytes]);
  // Who goes on from a cursor is not told again.
  expect((await shown(logs, '', rest.at(-2)?.cursor)).map(({ text }) => text)).toEqual([rest.at(-1)?.text]);
});

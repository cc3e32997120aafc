import { decodeEntry } from './log-codec.js';
import { chunkOf } from './redis-task-logs.js';

it.each(['', '{', 'null', '[]', '{}', '{"type":1}', '7'])('a run’s log with the entry %j is not gone on with', (text) => {
  expect(() => decodeEntry(['2-0', ['t', '1', 'e', text]])).toThrow(
    expect.objectContaining({ name: 'ForeignMessageError', message: expect.stringContaining('entry 2-0') }),
  );
});

it('nor one whose entry has no time', () => {
  for (const fields of [[], ['t', 'x', 'e', '{"type":"A"}'], ['e', '{"type":"A"}']])
    expect(() => decodeEntry(['2-0', fields])).toThrow(expect.objectContaining({ name: 'ForeignMessageError' }));
});

it('an entry has its numbers digit by digit', () => {
  const event = { type: 'A', n: 9223372036854775807n };
  expect(decodeEntry(['2-0', ['t', '1', 'e', '{"type":"A","n":9223372036854775807}']])).toEqual({ sequence: 2, atMs: 1, event });
});

it.each(['', 'no JSON', 'null', '[]', '7', '{}', '{"taskId":"t"}', '{"taskId":"t","text":1}', '__proto__'])(
  'the entry %j of a task’s log is passed over',
  (text) => expect(chunkOf(['c', text])).toBeUndefined(),
);

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inWords, logTail } from './log-tail.js';

describe('logTail', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-log-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives the last lines of a log, also of one that is longer than what is read of it', () => {
    const path = join(folder, 'a.log');
    writeFileSync(path, `${'x'.repeat(200_000)}\nlast but one\n{"level":60,"msg":"it did not start","err":{"message":"no Redis"}}\n`);
    expect(logTail(path, 2)).toEqual(['last but one', 'it did not start: no Redis']);
  });

  it('gives nothing of an empty log', () => {
    const path = join(folder, 'empty.log');
    writeFileSync(path, '');
    expect(logTail(path, 5)).toEqual(['']);
  });
});

test.each([
  ['plain text', 'plain text'],
  ['{"msg":"started"}', 'started'],
  ['{"msg":"cannot listen: in use","err":{"message":"in use"}}', 'cannot listen: in use'],
  ['{"other":1}', '{"other":1}'],
  ['null', 'null'],
  ['{"msg":"cut o', '{"msg":"cut o'],
])('inWords(%s)', (line, words) => {
  expect(inWords(line)).toBe(words);
});

/** What an attempt that is begun again leaves: to watchers each life from its start, in the file the last one alone. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { executor } from '@weft/contracts';
import { LogKeeper } from './log-keeper.js';
import { TaskLog } from './task-log.js';

let directory: string;
let heard: string[];
let log: TaskLog;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-task-log-'));
  heard = [];
  const fileOf = (uri: string): Promise<string> => Promise.resolve(uri.replace('file://', ''));
  const files = { resolve: fileOf, storage: { publish: () => Promise.reject(new Error('nothing is to be uploaded')) } };
  log = new TaskLog({
    spec: { logTo: `file://${directory}/t.1.` },
    sandbox: directory,
    keeper: new LogKeeper(files as unknown as ConstructorParameters<typeof LogKeeper>[0], 1_000_000),
    publish: (event) => heard.push(told(event)),
    congested: () => false,
    onProblem: (text, error) => {
      throw new Error(text, { cause: error });
    },
  });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function told({ event }: executor.TaskEvent): string {
  if (event?.$case !== 'log') throw new Error(`no log: ${event?.$case}`);
  const { life, offset, data } = event.value;
  return `${life} ${offset} ${data.toString()}`;
}
const file = (stream: string): string => join(directory, `t.1.${stream}`);

it('one life: a second `begin` of the same is none', async () => {
  await log.begin('a');
  await log.write('stdout', Buffer.from('one '));
  await log.begin('a');
  await log.write('stdout', Buffer.from('two'));
  await log.end();
  expect(heard).toEqual(['a 0 one ', 'a 4 two']);
  expect(readFileSync(file('stdout'), 'utf8')).toBe('one two');
});

it('begun again: offsets begin anew, and the files have what the last life wrote', async () => {
  await log.begin('a');
  await log.write('stdout', Buffer.from('lost'));
  await log.write('stderr', Buffer.from('also lost'));
  await log.begin('b');
  await log.write('stdout', Buffer.from('counts'));
  expect(log.past().map(told)).toEqual(['b 0 counts']);
  await log.end();
  expect(heard).toEqual(['a 0 lost', 'a 0 also lost', 'b 0 counts']);
  expect(readFileSync(file('stdout'), 'utf8')).toBe('counts');
  expect(existsSync(file('stderr'))).toBe(false);
});

it('begun again behind a flood: watchers get the end of what was lost, in its own life', async () => {
  await log.begin('a');
  await log.write('stderr', Buffer.alloc(200_000, 'line\n'));
  await log.write('stderr', Buffer.from('its end'));
  await log.begin('b');
  await log.end();
  expect(heard.at(-1)).toMatch(/^a \d+ [^]*its end$/);
});

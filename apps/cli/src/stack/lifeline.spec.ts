import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { guarded } from './lifeline.js';

const linux = process.platform === 'linux' ? it : it.skip;

/** `cat` instead of Redis, which lives for as long as its stdin is open. */
function last(): ChildProcess {
  const { command, args } = guarded('cat', []);
  return spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
}

linux('ends what is to be last when nobody holds it any more, and not before', async () => {
  const redis = last();
  const gone = once(redis, 'exit');
  const holder = (): ChildProcess => spawn('cat', [], { stdio: ['pipe', 'ignore', 'inherit', redis.stdio[3] as never] });
  const [first, second] = [holder(), holder()];
  redis.stdio[3]?.destroy();
  first.stdin?.end();
  await once(first, 'exit');
  // It answers still: a line goes through it.
  const echoed = once(redis.stdout as NodeJS.ReadableStream, 'data');
  redis.stdin?.write('here\n');
  expect(String(await echoed)).toBe('here\n');
  second.stdin?.end();
  expect(await gone).toEqual([null, 'SIGTERM']);
});

linux('leaves others alone where it had ended before', async () => {
  const redis = last();
  redis.stdin?.end();
  expect(await once(redis, 'exit')).toEqual([0, null]);
  redis.stdio[3]?.destroy();
});

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Home, homeOf, prepareHome, socketPath } from '../home.js';
import { Program, type ProgramSpec } from './child.js';
import { takeStackLock } from './lock.js';
import { findRedisServer, redisArguments, redisReadyLine } from './redis.js';

const events = { note: (): void => undefined, changed: (): void => undefined, gaveUp: (): void => undefined };

function redisSpec(home: Home): ProgramSpec {
  const command = findRedisServer();
  if (command === undefined) throw new Error('these tests need redis-server');
  return { name: 'redis', command, args: redisArguments(home), env: process.env, readyLine: redisReadyLine };
}

function ask(home: Home, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath(home, 'redis'));
    socket.once('error', reject);
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString().trim());
    });
    socket.write(`${command}\r\n`);
  });
}

describe('the stack’s programs', () => {
  let home: Home;
  beforeEach(() => {
    home = homeOf({ WEFT_HOME: mkdtempSync(join(tmpdir(), 'weft-home-')) });
    prepareHome(home);
  });
  afterEach(() => rmSync(home.root, { recursive: true }));

  it('start Redis on its socket, keep what it was told over a restart, and stop it', async () => {
    const first = new Program(redisSpec(home), home.logs, events);
    await first.start();
    expect(await ask(home, 'SET answer 42')).toBe('+OK');
    await first.stop();
    expect(existsSync(socketPath(home, 'redis'))).toBe(false);
    const second = new Program(redisSpec(home), home.logs, events);
    await second.start();
    expect(await ask(home, 'GET answer')).toContain('42');
    await second.stop();
    expect(readFileSync(join(home.logs, 'redis.log.1'), 'utf8')).toContain('Redis');
  });

  it('are started again when they die', async () => {
    let back: () => void = () => undefined;
    const returned = new Promise<void>((resolve) => (back = resolve));
    const notes: string[] = [];
    const note = (text: string): void => {
      notes.push(text);
      if (text.includes('is back')) back();
    };
    const redis = new Program(redisSpec(home), home.logs, { ...events, note });
    await redis.start();
    const first = redis.pid;
    process.kill(first, 'SIGKILL');
    await returned;
    expect(await ask(home, 'PING')).toBe('+PONG');
    expect(notes).toEqual(['redis ended with SIGKILL; starting it again in 100 ms', 'redis is back']);
    expect(redis.pid).not.toBe(first);
    await redis.stop();
  });

  it('say why they cannot start, with the end of their log', async () => {
    const spec = redisSpec(home);
    const broken = new Program({ ...spec, args: [...spec.args, '--no-such-setting', 'x'] }, home.logs, events);
    await expect(broken.start()).rejects.toThrow(/redis ended with exit code 1; the end of .*redis\.log:[^]*no-such-setting/);
  });
});

describe('takeStackLock', () => {
  it('gives the lock to one and tells the other when the stack answers', async () => {
    const home = homeOf({ WEFT_HOME: mkdtempSync(join(tmpdir(), 'weft-home-')) });
    const first = await takeStackLock(home);
    if (first === 'taken') throw new Error('nobody else has this lock');
    const second = takeStackLock(home);
    first.announce();
    expect(await second).toBe('taken');
    expect(await takeStackLock(home)).toBe('taken');
    rmSync(home.root, { recursive: true });
  });
});

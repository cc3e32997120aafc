import { jest } from '@jest/globals';
import { QUIET_MS, patiently } from './patience.js';

describe('patiently', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const wait = (limitMs?: number) => {
    const said: string[] = [];
    let answer: (value: string) => void = () => undefined;
    const work = new Promise<string>((resolve) => (answer = resolve));
    const waiting = patiently(work, {
      limitMs,
      say: (line) => void said.push(line),
      what: () => 'the scheduler to answer',
      advice: 'look',
    });
    return { said, answer, waiting };
  };

  it('says nothing of a short wait', async () => {
    const { said, answer, waiting } = wait(60_000);
    jest.advanceTimersByTime(QUIET_MS - 1);
    answer('yes');
    expect(await waiting).toBe('yes');
    jest.advanceTimersByTime(120_000);
    expect(said).toEqual([]);
  });

  it('says for what it waits, again and again, and gives up with what to do', async () => {
    const { said, waiting } = wait(60_000);
    const failed = expect(waiting).rejects.toThrow('waited 60 s for the scheduler to answer: look');
    jest.advanceTimersByTime(60_000);
    await failed;
    expect(said).toEqual(['waiting for the scheduler to answer…', 'waiting for the scheduler to answer…']);
    expect(jest.getTimerCount()).toBe(0);
  });
});

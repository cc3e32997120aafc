import { Unanswered, answered, whileAnswered } from './unanswered.js';

const never = new Promise<never>(() => undefined);

describe('answered', () => {
  it('gives what comes in time, and gives up on what does not', async () => {
    expect(await answered('x', 60_000, Promise.resolve(1))).toBe(1);
    await expect(answered('x', 1, never)).rejects.toThrow('x: its file system has not answered for 0.001 s');
  });
});

describe('whileAnswered', () => {
  const limits = { lookMs: 1, tellMs: 3, limitMs: 6 };

  it('tells once that nobody answers, then gives up', async () => {
    const told: string[] = [];
    const waiting = whileAnswered(
      '/far',
      (line) => told.push(line),
      never,
      limits,
      () => never,
    );
    await expect(waiting).rejects.toThrow(Unanswered);
    expect(told).toEqual(['the file system of /far does not answer; waiting up to 0.006 s for it']);
  });

  it('goes on as long as there are answers, errors too', async () => {
    let looks = 0;
    let done: (value: string) => void = () => undefined;
    const work = new Promise<string>((resolve) => (done = resolve));
    const stat = async (): Promise<never> => {
      if (++looks === 20) done('delivered');
      throw new Error('ENOENT');
    };
    expect(await whileAnswered('/far', () => undefined, work, limits, stat)).toBe('delivered');
  });
});

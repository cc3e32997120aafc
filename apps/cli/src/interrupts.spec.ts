import { CANCEL_LIMIT_MS, EXIT_OF_SIGNAL, type EndingSignal, Interrupts } from './interrupts.js';

const SIGNALS = Object.keys(EXIT_OF_SIGNAL) as EndingSignal[];

/** A command whose time passes when the test says so. */
function scene({ keepOnHangup = true, cancel = (): Promise<void> => Promise.resolve() } = {}) {
  const said: string[] = [];
  const exits: number[] = [];
  const limits = new Map<() => void, number>();
  const asked: string[] = [];
  const interrupts = new Interrupts({
    say: (line) => said.push(line),
    exit: (code) => exits.push(code),
    after: (ms, work) => (limits.set(work, ms), () => void limits.delete(work)),
    keepOnHangup,
  });
  const follow = (): void => interrupts.following('r-1', (reason) => (asked.push(reason), cancel()));
  return { interrupts, follow, said, exits, asked, pass: () => [...limits.keys()].forEach((work) => work()), limits };
}

it.each(SIGNALS)('%s before anything was submitted ends the command at once', (signal) => {
  const { interrupts, exits, limits } = scene();
  interrupts.take(signal);
  expect([exits, limits.size]).toEqual([[EXIT_OF_SIGNAL[signal]], 0]);
});

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  it('cancels the run and lets it end', () => {
    const { interrupts, follow, said, exits, asked, limits } = scene();
    follow();
    interrupts.take(signal);
    expect([exits, asked, interrupts.exitCode]).toEqual([[], [`interrupted by ${signal}`], EXIT_OF_SIGNAL[signal]]);
    expect(said[0]).toMatch(/^cancelling the run; .* again leaves at once$|^cancelling the run; a second signal leaves at once$/);
    expect([...limits.values()]).toEqual([CANCEL_LIMIT_MS]);
    interrupts.close();
    expect(limits.size).toBe(0);
  });

  it('during the submission cancels the run once it is there', () => {
    const { interrupts, follow, asked, exits } = scene();
    interrupts.submitting();
    interrupts.take(signal);
    expect([asked, exits]).toEqual([[], []]);
    follow();
    expect([asked, exits]).toEqual([[`interrupted by ${signal}`], []]);
  });

  it('does not wait for ever: neither for the submission nor for the end', () => {
    for (const stage of ['submitting', 'following']) {
      const { interrupts, follow, exits, said, pass } = scene();
      if (stage === 'submitting') interrupts.submitting();
      else follow();
      interrupts.take(signal);
      pass();
      expect([stage, exits]).toEqual([stage, [EXIT_OF_SIGNAL[signal]]]);
      expect(said.at(-1)).toMatch(stage === 'submitting' ? /`weft ls`/ : /run r-1 has not ended within 30 s .* `weft show r-1`/);
    }
  });

  it.each(SIGNALS)('is followed by %s, which leaves at once under the code of the first', (second) => {
    const { interrupts, follow, exits, said } = scene();
    follow();
    interrupts.take(signal);
    interrupts.take(second);
    expect(exits).toEqual([EXIT_OF_SIGNAL[signal]]);
    expect(said.at(-1)).toMatch(/^left run r-1 .* `weft attach r-1`/);
  });

  it('while outputs are brought ends the command and says that they are kept', () => {
    const { interrupts, follow, exits, said, asked } = scene();
    follow();
    interrupts.succeeded('r-1');
    interrupts.take(signal);
    expect([exits, asked]).toEqual([[EXIT_OF_SIGNAL[signal]], []]);
    expect(said).toEqual([expect.stringContaining('`weft attach r-1` brings them')]);
  });
});

it('a cancel that fails is told, and waited for no longer than any', async () => {
  const { interrupts, follow, said, exits, pass } = scene({ cancel: () => Promise.reject(new Error('nobody answers')) });
  follow();
  interrupts.take('SIGTERM');
  await Promise.resolve();
  expect(said.at(-1)).toBe('cannot cancel run r-1: nobody answers');
  pass();
  expect(exits).toEqual([143]);
});

it('a hangup leaves the run and says how to come back', () => {
  const { interrupts, follow, said, exits, asked } = scene();
  follow();
  interrupts.take('SIGHUP');
  expect([exits, asked]).toEqual([[129], []]);
  expect(said).toEqual([expect.stringMatching(/^hangup: run r-1 goes on; `weft attach r-1` .* `weft cancel r-1` ends it$/)]);
});

it('a hangup cancels a run whose stack ends with the command', () => {
  const { interrupts, follow, asked, exits } = scene({ keepOnHangup: false });
  follow();
  interrupts.take('SIGHUP');
  expect([exits, asked, interrupts.exitCode]).toEqual([[], ['interrupted by SIGHUP'], 129]);
});

/**
 * The side of a worker that `case-runner.ts` talks to.
 *
 * Invariants:
 *  1. A thread beside the one that works counts the process's CPU time from the case's beginning; above the limit the process ends by SIGXCPU, whatever
 *     the case is doing.
 *  2. While a case is under way nothing but the case keeps the process alive: one that waits for nothing lets it end, with code 0.
 */
import { Worker } from 'node:worker_threads';

/** Looks at nothing but the shared word that says which case is under way (0: none). How often it looks decides nothing. */
const WATCH = `
  const { workerData: { current, limitMs } } = require('node:worker_threads');
  const never = new Int32Array(new SharedArrayBuffer(4));
  const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
  for (let seen = 0, from = 0; ; Atomics.wait(never, 0, 0, 20)) {
    const now = Atomics.load(current, 0);
    if (now !== seen) [seen, from] = [now, used()];
    else if (now !== 0 && used() - from > limitMs) process.kill(process.pid, 'SIGXCPU');
  }
`;

export function answerCases<Case, Answer extends object>(answer: (one: Case) => Promise<Answer>): void {
  const current = new Int32Array(new SharedArrayBuffer(4));
  new Worker(WATCH, { eval: true, workerData: { current, limitMs: Number(process.argv[2]) } }).unref();
  let cases = 0;
  process.on('message', (one: Case) => {
    cases += 1;
    Atomics.store(current, 0, cases);
    process.channel?.unref();
    void answer(one).then((reply) => {
      Atomics.store(current, 0, 0);
      process.channel?.ref();
      process.send?.(reply);
    });
  });
}

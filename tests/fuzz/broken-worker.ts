/** A case worker with every fault that the runner must notice; `root` names it. */
import type { FuzzAnswer, FuzzCase } from './case-worker.js';
import { answerCases } from './worker.js';

answerCases<FuzzCase, FuzzAnswer>(async ({ root }) => {
  if (root === 'crash')
    setImmediate(() => {
      throw new Error('crashed');
    });
  while (root === 'hang') continue;
  const hog: number[][] = [];
  while (root === 'hog') hog.push(new Array<number>(1_000_000).fill(hog.length));
  if (root === 'crash' || root === 'wait') await new Promise(() => undefined);
  return { reached: 'plan', broken: root === 'odd' ? 'something odd' : undefined };
});

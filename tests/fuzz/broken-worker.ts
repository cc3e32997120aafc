/** A case worker with every fault that the runner must notice; `root` names it. */
import { parentPort } from 'node:worker_threads';
import type { FuzzCase } from './case-worker.js';

parentPort?.on('message', ({ root }: FuzzCase) => {
  if (root === 'crash') throw new Error('crashed');
  while (root === 'hang') continue;
  const hog: number[][] = [];
  while (root === 'hog') hog.push(new Array<number>(1_000_000).fill(hog.length));
  parentPort?.postMessage({ reached: 'plan', broken: root === 'odd' ? 'something odd' : undefined });
});

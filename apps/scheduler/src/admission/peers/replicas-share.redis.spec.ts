/** Two replicas with runs of their own, one queue, one consumer: in which order tasks are begun. */
import { aRun, type Begun, type Replica, ReplicaTown, runIdAt } from '../../../test/releasing-replicas.js';

const HALF = 32;
const town = new ReplicaTown();
beforeAll(() => town.start());
afterAll(() => town.stop());
afterEach(() => town.clear());

/** Each owns half of the runs; the first takes jobs, one after the other. */
async function twoReplicas(): Promise<[Replica, Replica]> {
  const first = await town.replica('a');
  const second = await town.replica('b');
  await second.holds(HALF);
  await first.consume(1);
  return [first, second];
}

/** Ends one task after the other until so many of the run have been begun; gives the runs of all of them in order. */
async function beginUntil({ begun }: Replica, runId: string, count: number): Promise<string[]> {
  const order: string[] = [];
  for (let n = 0; order.filter((id) => id === runId).length < count; n++) {
    const { job, end } = (await begun.atLeast(n + 1))[n] as Begun;
    order.push(job.runId);
    town.tell();
    end();
  }
  return order;
}

const countOf = (order: string[], runId: string): number => order.filter((id) => id === runId).length;

it('tasks of an urgent run go first, whichever replica has it; others go on one at a time', async () => {
  const [first, second] = await twoReplicas();
  const [plain, urgent] = [runIdAt(first), runIdAt(second)];
  await aRun(first, plain, 200);
  await first.begun.atLeast(1);
  await aRun(second, urgent, 40, { options: { priority: 10 } });
  await first.heard.atLeast(1);
  const order = await beginUntil(first, urgent, 40);
  const since = order.slice(order.indexOf(urgent));
  expect(countOf(since, plain)).toBeGreaterThan(0);
  expect(countOf(since, plain)).toBeLessThanOrEqual(16);
});

it('projects have equal shares, however many replicas one of them has runs at', async () => {
  const [first, second] = await twoReplicas();
  const [ofOne, alsoOfOne, ofOther] = [runIdAt(first), runIdAt(second, 0), runIdAt(second, 1)];
  await aRun(first, ofOne, 200, { projectId: 'one' });
  await aRun(second, ofOther, 200, { projectId: 'other' });
  await aRun(second, alsoOfOne, 200, { projectId: 'one' });
  await first.heard.atLeast(1);
  const order = await beginUntil(first, ofOther, 60);
  expect(countOf(order, ofOther) / order.length).toBeGreaterThan(0.4);
  expect(countOf(order, ofOther) / order.length).toBeLessThan(0.6);
});

/** Endless scripts of one run and threads that are real: what others ask for is answered while those still run. Order, not time. */
import { EvaluationDropped } from './api.js';
import { createEvaluator, ownedBy } from './evaluator.js';

const CONTEXT = { inputs: { x: 20 }, self: null, runtime: {} };
const JAVASCRIPT = { javascript: true, expressionLib: [] };
const ENDLESS = '${ while (true) {} }';

it('endless expressions of one run keep no other project’s from being evaluated, nor, once they are known, another run’s of their own', async () => {
  // Nothing here waits for this limit.
  const evaluator = createEvaluator({ timeoutMs: 600_000 });
  const by = (project: string, run: string) => ownedBy(evaluator, { project, run });
  const endless = Array.from({ length: 100 }, () => by('greedy', 'r-1').evaluate(ENDLESS, CONTEXT, JAVASCRIPT));
  let ended = 0;
  for (const one of endless) one.catch(() => (ended += 1));
  // Both of its workers are taken before the others ask.
  const more = Array.from({ length: 100 }, () => by('greedy', 'r-2').evaluate(ENDLESS, CONTEXT, JAVASCRIPT));
  for (const one of more) one.catch(() => (ended += 1));
  for (const project of ['b', 'c', 'd']) expect(await by(project, 'r-3').evaluate('$(inputs.x + 1)', CONTEXT, JAVASCRIPT)).toBe(21);
  expect(ended).toBe(0);
  await evaluator.close();
  await Promise.allSettled([...endless, ...more]);
  expect(ended).toBe(200);
});

it('a run that burns time limits leaves a worker to the next run of its project', async () => {
  const evaluator = createEvaluator({ timeoutMs: 1_500 });
  const by = (run: string) => ownedBy(evaluator, { project: 'p', run });
  let burnt = 0;
  const burning = Array.from({ length: 40 }, () =>
    by('burning')
      .evaluate(ENDLESS, CONTEXT, JAVASCRIPT)
      .catch(() => (burnt += 1)),
  );
  await burning[0];
  expect(await by('sound').evaluate('$(inputs.x + 2)', CONTEXT, JAVASCRIPT)).toBe(22);
  // Not behind what had been asked for before.
  expect(burnt).toBeLessThan(40);
  await evaluator.close();
  await Promise.all(burning);
});

it('what a run that is stopped had asked for is dropped, also what does not end, and nothing of others', async () => {
  // Nothing here waits for this limit.
  const evaluator = createEvaluator({ timeoutMs: 600_000 });
  const stopped = { project: 'p', run: 'stopped' };
  const evaluate = (run: string, text: string) => ownedBy(evaluator, { project: 'p', run }).evaluate(text, CONTEXT, JAVASCRIPT);
  const droppedOf = (asked: Promise<unknown>[]): Promise<boolean[]> =>
    Promise.all(
      asked.map((one) =>
        one.then(
          () => false,
          (error: unknown) => error instanceof EvaluationDropped,
        ),
      ),
    );
  const begun = droppedOf(Array.from({ length: 3 }, () => evaluate('stopped', ENDLESS)));
  const other = evaluate('other', '$(inputs.x + 3)');
  // By now one of them is being evaluated.
  expect(await ownedBy(evaluator, { project: 'q', run: 'r' }).evaluate('$(inputs.x)', CONTEXT, JAVASCRIPT)).toBe(20);
  const waiting = droppedOf(Array.from({ length: 200 }, () => evaluate('stopped', '$(1 + 1)')));
  evaluator.drop(stopped);
  expect(new Set([...(await begun), ...(await waiting)])).toEqual(new Set([true]));
  expect(await other).toBe(23);
  // It is evaluated as ever, and dropping nothing does nothing.
  evaluator.drop(stopped);
  expect(await evaluate('stopped', '$(inputs.x + 4)')).toBe(24);
  evaluator.drop({ project: 'nobody', run: 'nothing' });
  await evaluator.close();
});

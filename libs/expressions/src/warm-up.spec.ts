/** Starting early: warmUp leaves the evaluator ready, fails where scripts would fail, and only plans that ask for JavaScript ask for it. */
import type { Plan, Requirement } from '@weft/plan';
import { createEvaluator } from './evaluator.js';
import { usesJavascript } from './uses-javascript.js';

const CONTEXT = { inputs: { x: 20 }, self: null, runtime: {} };
const JAVASCRIPT = { javascript: true, expressionLib: [] };

test('after warming up, once or twice, scripts run', async () => {
  const evaluator = createEvaluator();
  await Promise.all([evaluator.warmUp(), evaluator.warmUp()]);
  await evaluator.warmUp();
  expect(await evaluator.evaluate('$(inputs.x + 1)', CONTEXT, JAVASCRIPT)).toBe(21);
  await evaluator.close();
  await expect(evaluator.warmUp()).rejects.toThrow('the evaluator is closed');
});

test('a worker that cannot start is told by warmUp and by every script', async () => {
  const evaluator = createEvaluator({ workerUrl: new URL('file:///nowhere/worker.mjs') });
  await expect(evaluator.warmUp()).rejects.toThrow('the JavaScript worker stopped');
  await expect(evaluator.evaluate('$(1 + 1)', CONTEXT, JAVASCRIPT)).rejects.toThrow('the JavaScript worker stopped');
  await evaluator.close();
});

describe('plans', () => {
  const needs: Requirement[] = [{ class: 'InlineJavascriptRequirement', expressionLib: [] }];
  const rest = { id: 'w', inputs: [], outputs: [], declaredVersion: 'v1.2' };
  const step = { name: 's', run: 't', in: [], out: [], scatter: [], requirements: [], hints: [] };
  const plan = (own: Requirement[], ofStep: Requirement[]): Plan => ({
    planVersion: 1,
    cwlVersion: 'v1.2',
    root: 'w',
    processes: { w: { ...rest, class: 'Workflow', requirements: [], hints: own, steps: [{ ...step, requirements: ofStep }] } },
  });

  test.each([
    [plan([], []), false],
    [plan(needs, []), true],
    [plan([], needs), true],
    [plan([{ class: 'ShellCommandRequirement' }], []), false],
  ])('%#: %s', (given, uses) => expect(usesJavascript(given)).toBe(uses));
});

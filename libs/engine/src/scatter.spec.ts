/** How many shards a scatter may have: known before any of them is made. */
import type { CwlValue, WorkflowStep } from '@weft/plan';
import { CURRENT_RULES } from './rules.js';
import { expand } from './scatter.js';

const { maxShards } = CURRENT_RULES;

function over(lengths: number[], scatterMethod: WorkflowStep['scatterMethod']) {
  const names = lengths.map((_, i) => `x${i}`);
  const step = { name: 's', run: 't', in: [], out: [], scatter: names, scatterMethod, requirements: [], hints: [] } as WorkflowStep;
  const arrays = lengths.map((length): CwlValue => new Array<CwlValue>(length).fill(0));
  return expand(step, Object.fromEntries(names.map((name, i) => [name, arrays[i]])), maxShards);
}

test.each([
  ['a product', [800, 800, 800], 'flat_crossproduct', '512000000 tasks (800 × 800 × 800)'],
  ['a nested product', [1001, 1000], 'nested_crossproduct', '1001000 tasks (1001 × 1000)'],
  ['a product beyond every number', new Array<number>(200).fill(100), 'flat_crossproduct', 'tasks (100 × 100'],
  ['one array', [maxShards + 1], undefined, '1000001 tasks; 1000000 are allowed'],
] as const)('%s is too large', (_, lengths, method, said) => {
  const expanded = over([...lengths], method);
  expect(expanded).toMatchObject({ ok: false, code: 'SCATTER_LIMIT' });
  expect(expanded.ok ? '' : expanded.reason).toContain(said);
});

test.each([
  ['the most there may be', [1000, 1000], 'flat_crossproduct', maxShards],
  ['nothing in one of them', [1_000_000, 0, 1_000_000], 'nested_crossproduct', 0],
  ['side by side', [5_000, 5_000], 'dotproduct', 5_000],
] as const)('%s is taken', (_, lengths, method, count) => {
  expect(over([...lengths], method)).toMatchObject({ ok: true, shards: { count } });
});

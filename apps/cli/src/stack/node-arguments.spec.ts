import { type Machine, type NodeStart, nodeStart } from './node-arguments.js';

const line = (soft: string): string =>
  `Limit    Soft Limit  Hard Limit  Units\nMax address space         ${soft}            unlimited            bytes\n`;
const UNLIMITED: Machine = { limits: line('unlimited'), processors: 8, knows: () => true };
const ONE_ARENA = { MALLOC_ARENA_MAX: '1' };

it.each<[string, Partial<Machine>, NodeStart]>([
  ['no limit', {}, { args: [], env: {} }],
  ['a limit', { limits: line('4096000000') }, { args: ['--disable-wasm-trap-handler'], env: ONE_ARENA }],
  ['a limit, and a Node.js that cannot', { limits: line('4096000000'), knows: () => false }, { args: [], env: ONE_ARENA }],
  ['a system that does not say', { limits: '' }, { args: [], env: {} }],
  ['one processor', { processors: 1 }, { args: ['--v8-pool-size=1'], env: {} }],
  ['two processors', { processors: 2 }, { args: ['--v8-pool-size=1'], env: {} }],
  ['four processors', { processors: 4 }, { args: ['--v8-pool-size=3'], env: {} }],
  ['five processors', { processors: 5 }, { args: [], env: {} }],
])('%s', (_what, machine, expected) => {
  expect(nodeStart({ ...UNLIMITED, ...machine })).toEqual(expected);
});

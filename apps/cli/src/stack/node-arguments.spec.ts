import { type NodeStart, nodeStart } from './node-arguments.js';

const line = (soft: string): string =>
  `Limit    Soft Limit  Hard Limit  Units\nMax address space         ${soft}            unlimited            bytes\n`;
const all = { has: () => true };
const ONE_ARENA = { MALLOC_ARENA_MAX: '1' };

it.each<[string, string, { has(flag: string): boolean }, NodeStart]>([
  ['no limit', line('unlimited'), all, { args: [], env: {} }],
  ['a limit', line('4096000000'), all, { args: ['--disable-wasm-trap-handler'], env: ONE_ARENA }],
  ['a limit, and a Node.js that cannot', line('4096000000'), { has: () => false }, { args: [], env: ONE_ARENA }],
  ['a system that does not say', '', all, { args: [], env: {} }],
])('%s', (_what, limits, known, expected) => {
  expect(nodeStart(limits, known)).toEqual(expected);
});

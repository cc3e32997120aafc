import { nodeArguments } from './node-arguments.js';

const line = (soft: string): string =>
  `Limit    Soft Limit  Hard Limit  Units\nMax address space         ${soft}            unlimited            bytes\n`;
const all = { has: () => true };

it.each<[string, string, { has(flag: string): boolean }, string[]]>([
  ['no limit', line('unlimited'), all, []],
  ['a limit', line('4096000000'), all, ['--disable-wasm-trap-handler']],
  ['a limit, and a Node.js that cannot', line('4096000000'), { has: () => false }, []],
  ['a system that does not say', '', all, []],
])('%s', (_what, limits, known, expected) => {
  expect(nodeArguments(limits, known)).toEqual(expected);
});

import type { CwlObject } from '@weft/plan';
import { planOutputs } from './output-plan.js';

it.each<[unknown, string]>([
  [12345678901234567890n, '12345678901234567890'],
  [7, '7'],
  [true, 'true'],
  [null, ''],
  [['a', 1n], '["a",1]'],
  [{ a: 1n }, '{"a":1}'],
  ['a'.repeat(81) + '/', `${'a'.repeat(80)}…`],
  ['a\u001b/', 'a␛/'],
])('%#: a name that is none is told, and nothing is planned under it', (basename, shown) => {
  for (const beside of [{ location: 'file:///gone' }, { contents: 'text' }]) {
    const outputs = { o: { class: 'File', ...beside, basename } } as unknown as CwlObject;
    expect(() => planOutputs(outputs)).toThrow(`output 'o': the name "${shown}" of a File `);
  }
});

it('a file that is nowhere is told', () => {
  expect(() => planOutputs({ o: { class: 'File', basename: 'a' } })).toThrow(`output 'o': File "a" has neither a location nor contents`);
});

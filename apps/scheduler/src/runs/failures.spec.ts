import { expressionKey } from '@weft/cwl';
import { ExpressionError } from '@weft/expressions';
import type { ExpressionPlace, Plan } from '@weft/plan';
import { TaskError } from '@weft/tasks';
import { failureOf } from './failures.js';

const TEXT = '${\n  return a.b;\n}';
const at = (line: number): ExpressionPlace => ({ line, column: 5, written: 'block' });
const plan = (...places: ExpressionPlace[]): Pick<Plan, 'processes'> =>
  ({ processes: { p: { at: { file: 't.cwl', line: 1, column: 1 }, expressionsAt: { [expressionKey(TEXT)]: places } } } }) as never;

it.each<[string, unknown, ExpressionPlace[], string]>([
  ['where a script is wrong', new ExpressionError('no', TEXT, { text: TEXT, offset: 12 }), [at(3)], 't.cwl:4:14: no'],
  ['where an expression is that gave what cannot be used', new TaskError('RESOURCES', 'no', TEXT), [at(3)], 't.cwl:3:5: no'],
  ['the file that it was imported from', new TaskError('RESOURCES', 'no', TEXT), [{ ...at(3), file: 'i.yml' }], 'i.yml:3:5: no'],
  ['both places of a text that is there twice', new TaskError('EXPRESSION', 'no', TEXT), [at(3), at(9)], 't.cwl:3:5 or t.cwl:9:5: no'],
  ['nothing where nobody knows', new ExpressionError('no', TEXT, { text: '$(other)', offset: 0 }), [at(3)], 'no'],
  ['nothing for what is no expression', new TaskError('TOOL_EXIT', 'no'), [at(3)], 'no'],
])('tells %s', (_, error, places, message) => {
  expect(failureOf(error, 's', { plan: plan(...places), process: 'p' })).toMatchObject({ message, step: 's' });
  expect(failureOf(error, 's')).toMatchObject({ message: 'no' });
});

it.each([
  [new TaskError('TOOL_EXIT', 'no'), 'TOOL_EXIT'],
  [Object.assign(new Error('no'), { code: 'INPUT_FILE' }), 'INPUT_FILE'],
  [Object.assign(new Error('no'), { code: 7 }), 'INTERNAL'],
  [new Error('no'), 'INTERNAL'],
])('%# keeps a code of ours alone', (error, code) => expect(failureOf(error, 's')).toEqual({ code, message: 'no', step: 's' }));

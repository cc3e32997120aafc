import fc from 'fast-check';
import { rootOf } from '../spec-support/load-text.js';
import { joinFlowLines } from './flow-lines.js';

describe('flow collections that are indented too little', () => {
  test.each<[string, string]>([
    ['a: [\nb,\nc]\nd: 1', 'a: [ b, c]\nd: 1'],
    ['a: {b: [\n1 # one ]\n,2]\n}\n', 'a: {b: [ 1         ,2] }\n'],
    ['a: "[\n"\nb: x [\nc', 'a: "[\n"\nb: x [\nc'],
    ["a: 'it''s ['\nb: [\n']\n']", "a: 'it''s ['\nb: [ ']\n']"],
    ['a: |\n  [\n  x\nb: [\n]', 'a: |\n  [\n  x\nb: [ ]'],
    ['- a: >-\n    {\n- [\n]', '- a: >-\n    {\n- [ ]'],
    ['# [\na: 1', '# [\na: 1'],
    ['a: [\nb', 'a: [ b'],
  ])('%j', (text, joined) => expect(joinFlowLines(text)).toBe(joined));

  test('nothing moves', () => {
    const text = fc
      .array(fc.constantFrom('[', ']', '{', '}', '"', "'", '#', ' ', '\n', 'a', ': ', '- ', '|', '\\'), { maxLength: 60 })
      .map((p) => p.join(''));
    fc.assert(
      fc.property(text, (t) => {
        const joined = joinFlowLines(t);
        expect(joined).toHaveLength(t.length);
        expect([...joined].every((c, i) => c === t[i] || c === ' ')).toBe(true);
      }),
    );
  });

  test('such a document loads, and knows its lines', async () => {
    const text = 'cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {\nx: {\ntype: string\n}}\noutputs: [\n]\narguments: [\n"a",\n"b"\n]\n';
    const tool = await rootOf(text, 'CommandLineTool');
    expect([tool.inputs, tool.arguments]).toEqual([[{ name: 'x', type: 'string' }], ['a', 'b']]);
  });
});

import { type ConformanceTest, select } from './suite.js';

const suite: ConformanceTest[] = [
  { id: 'a', doc: '', tags: ['required', 'workflow'], tool: 'a.cwl', should_fail: false },
  { id: 'b', doc: '', tags: ['docker'], tool: 'b.cwl', should_fail: false },
  { id: 'c', doc: '', tags: ['workflow', 'docker'], tool: 'c.cwl', should_fail: true },
];
const ids = (selection: Partial<Parameters<typeof select>[1]>): string[] =>
  select(suite, { tags: [], exclude: [], ids: [], ...selection }).map(({ id }) => id);

describe('select', () => {
  it.each([
    [{}, ['a', 'b', 'c']],
    [{ tags: ['workflow'] }, ['a', 'c']],
    [{ tags: ['required', 'docker'] }, ['a', 'b', 'c']],
    [{ exclude: ['docker'] }, ['a']],
    [{ ids: ['b'] }, ['b']],
  ])('%j selects %j', (selection, expected) => {
    expect(ids(selection)).toEqual(expected);
  });

  it('refuses names that the suite does not have', () => {
    expect(() => ids({ tags: ['requird'] })).toThrow('the suite has no test or tag called requird');
    expect(() => ids({ ids: ['z'] })).toThrow('z');
  });
});

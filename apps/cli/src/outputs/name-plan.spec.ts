import fc from 'fast-check';
import { NamePlan, foldedName } from './name-plan.js';

const keys = (names: Record<string, string>): Map<string, string> => new Map(Object.entries(names));

/** Where a group goes that nothing on disk keeps from there. */
function put(plan: NamePlan, names: Record<string, string>): string {
  const [folder = 'none'] = plan.candidates(keys(names));
  plan.take(folder, keys(names));
  return folder;
}

describe('NamePlan', () => {
  it('leaves different names where they are', () => {
    const plan = new NamePlan();
    expect([put(plan, { 'x.txt': 'a' }), put(plan, { 'y.txt': 'b' })]).toEqual(['', '']);
  });

  it('puts a second file of the same name into a folder of its own, and the same file where it was', () => {
    const plan = new NamePlan();
    expect(['a', 'b', 'c', 'b', 'a'].map((key) => put(plan, { 'x.txt': key }))).toEqual(['', '2', '3', '2', '']);
  });

  it('keeps secondary files beside their primary file', () => {
    const plan = new NamePlan();
    put(plan, { 'reads.bai': 'a' });
    expect(put(plan, { 'reads.bam': 'b', 'reads.bai': 'c' })).toBe('2');
  });

  it('copes with outputs that are called like its own folders', () => {
    const plan = new NamePlan();
    expect([put(plan, { 2: 'folder' }), put(plan, { x: 'a' }), put(plan, { x: 'b' }), put(plan, { 3: 'file' })]).toEqual([
      '',
      '',
      '3',
      '3',
    ]);
  });

  it('tells no case from the other where the file system does not', () => {
    const plan = new NamePlan(foldedName);
    expect([put(plan, { Data: 'a' }), put(plan, { dATA: 'b' }), put(plan, { é: 'c' }), put(plan, { 'e\u0301': 'd' })]).toEqual([
      '',
      '2',
      '',
      '2',
    ]);
  });

  it('never gives one path to two files, nor a path below a file', () => {
    const group = fc.dictionary(fc.constantFrom('x', 'y', '2', '3'), fc.constantFrom('a', 'b', 'c'), { minKeys: 1 });
    fc.assert(
      fc.property(fc.array(group, { maxLength: 30 }), (groups) => {
        const plan = new NamePlan();
        const given = new Map<string, string>();
        for (const names of groups) {
          const folder = put(plan, names);
          for (const [name, key] of Object.entries(names)) {
            const path = folder === '' ? name : `${folder}/${name}`;
            expect(given.get(path) ?? key).toBe(key);
            given.set(path, key);
          }
        }
        for (const path of given.keys()) if (path.includes('/')) expect(given.has(path.split('/')[0] ?? '')).toBe(false);
      }),
    );
  });
});

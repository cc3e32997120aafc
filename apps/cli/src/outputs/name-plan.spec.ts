import fc from 'fast-check';
import type { DirectoryValue, FileValue } from '@weft/plan';
import { NamePlan } from './name-plan.js';

const file = (location: string, basename: string, ...secondaryFiles: FileValue[]): FileValue => ({
  class: 'File',
  location,
  basename,
  secondaryFiles,
});
const directory = (location: string, basename: string): DirectoryValue => ({ class: 'Directory', location, basename });
const free = (): boolean => false;

describe('NamePlan', () => {
  it('leaves different names where they are', () => {
    const plan = new NamePlan(free);
    expect(plan.directoryFor(file('file:///a/x.txt', 'x.txt'))).toBe('');
    expect(plan.directoryFor(file('file:///a/y.txt', 'y.txt'))).toBe('');
  });

  it('puts a second file of the same name into a directory of its own, and the same file where it was', () => {
    const plan = new NamePlan(free);
    expect(plan.directoryFor(file('file:///a/x.txt', 'x.txt'))).toBe('');
    expect(plan.directoryFor(file('file:///b/x.txt', 'x.txt'))).toBe('2');
    expect(plan.directoryFor(file('file:///c/x.txt', 'x.txt'))).toBe('3');
    expect(plan.directoryFor(file('file:///b/x.txt', 'x.txt'))).toBe('2');
    expect(plan.directoryFor(file('file:///a/x.txt', 'x.txt'))).toBe('');
  });

  it('keeps secondary files beside their primary file', () => {
    const plan = new NamePlan(free);
    plan.directoryFor(file('file:///a/reads.bai', 'reads.bai'));
    expect(plan.directoryFor(file('file:///b/reads.bam', 'reads.bam', file('file:///b/reads.bai', 'reads.bai')))).toBe('2');
  });

  it('does not take a literal for another literal', () => {
    const plan = new NamePlan(free);
    const literal = (): FileValue => ({ class: 'File', basename: 'note', contents: 'text' });
    expect([plan.directoryFor(literal()), plan.directoryFor(literal())]).toEqual(['', '2']);
  });

  it('leaves protected paths alone', () => {
    const plan = new NamePlan((path) => path === 'data.csv');
    expect(plan.directoryFor(file('file:///a/data.csv', 'data.csv'))).toBe('2');
  });

  it('copes with outputs that are called like its own directories', () => {
    const plan = new NamePlan(free);
    expect(plan.directoryFor(directory('file:///a/2', '2'))).toBe('');
    expect(plan.directoryFor(file('file:///a/x', 'x'))).toBe('');
    expect(plan.directoryFor(file('file:///b/x', 'x'))).toBe('3');
  });

  it('never gives one path to two files', () => {
    const anyFile = fc.record({ host: fc.nat(5), name: fc.constantFrom('x', 'y', '2', '3') });
    fc.assert(
      fc.property(fc.array(anyFile, { maxLength: 30 }), (files) => {
        const plan = new NamePlan(free);
        const given = new Map<string, string>();
        for (const { host, name } of files) {
          const location = `file:///${host}/${name}`;
          const path = `${plan.directoryFor(file(location, name))}/${name}`;
          expect(given.get(path) ?? location).toBe(location);
          given.set(path, location);
        }
      }),
    );
  });
});

import fc from 'fast-check';
import { type Around, type There, decide } from './decide.js';

const nothing: There = { kind: 'absent', isInput: false, isSource: false, isNew: false, isOwn: false };
const open: Around = { isInput: false, isClosed: false };

describe('decide', () => {
  it.each<['file' | 'folder', Partial<There>, Partial<Around>, string]>([
    ['file', {}, {}, 'write'],
    ['folder', {}, {}, 'make'],
    ['file', { kind: 'file' }, {}, 'replace'],
    ['folder', { kind: 'folder' }, {}, 'merge'],
    ['file', { kind: 'folder' }, {}, 'beside: is a folder'],
    ['folder', { kind: 'file' }, {}, 'beside: is a file'],
    ['file', { kind: 'link' }, {}, 'beside: is a link'],
    ['folder', { kind: 'link' }, {}, 'beside: is a link'],
    ['file', { kind: 'other' }, {}, 'beside: is neither a file nor a folder'],
    ['file', { kind: 'file', isSource: true }, {}, 'keep'],
    ['file', { kind: 'file', isSource: true, isInput: true, isNew: true }, { isInput: true, isClosed: true }, 'keep'],
    ['folder', { kind: 'folder', isSource: true, isInput: true }, {}, 'merge'],
    ['file', { kind: 'file', isInput: true }, {}, 'beside: is an input of the run'],
    ['folder', { kind: 'folder', isInput: true }, {}, 'beside: is an input of the run'],
    ['file', { kind: 'file', isNew: true }, {}, 'beside: was put there or changed while the run was under way'],
    ['folder', { kind: 'folder', isNew: true }, {}, 'merge'],
    ['file', {}, { isInput: true }, 'beside: would lie in an input of the run'],
    ['folder', {}, { isInput: true }, 'beside: would lie in an input of the run'],
    ['file', {}, { isClosed: true }, 'beside: is in a folder in which you may not write'],
    ['file', { kind: 'file' }, { isClosed: true }, 'beside: is in a folder in which you may not write'],
    ['folder', { kind: 'folder' }, { isClosed: true }, 'merge'],
    ['folder', { kind: 'folder', isOwn: true, isSource: true }, {}, 'beside: belongs to weft'],
    ['file', { isOwn: true }, {}, 'beside: belongs to weft'],
    ['file', { kind: 'file', blocked: 'cannot be written (EPERM)' }, {}, 'beside: cannot be written (EPERM)'],
    ['file', { blocked: 'came there' }, {}, 'beside: came there'],
  ])('a %s where there is %j in %j: %s', (slot, there, around, wanted) => {
    const verdict = decide(slot, { ...nothing, ...there }, { ...open, ...around });
    expect(verdict.act === 'beside' ? `beside: ${verdict.why}` : verdict.act).toBe(wanted);
  });

  it('replaces only plain files that are old and no input, writes only where nothing is', () => {
    const there = fc.record({
      kind: fc.constantFrom<There['kind'][]>('absent', 'file', 'folder', 'link', 'other'),
      isInput: fc.boolean(),
      isSource: fc.boolean(),
      isNew: fc.boolean(),
      isOwn: fc.boolean(),
      blocked: fc.option(fc.constant('blocked'), { nil: undefined }),
    });
    const around = fc.record({ isInput: fc.boolean(), isClosed: fc.boolean() });
    fc.assert(
      fc.property(fc.constantFrom('file' as const, 'folder' as const), there, around, (slot, is, where) => {
        const { act } = decide(slot, is, where);
        if (act === 'replace') expect(is).toMatchObject({ kind: 'file', isInput: false, isNew: false, isOwn: false, blocked: undefined });
        if (act === 'write' || act === 'make') expect([is.kind, where]).toEqual(['absent', { isInput: false, isClosed: false }]);
        if (act === 'merge') expect([is.kind, is.isInput && !is.isSource]).toEqual(['folder', false]);
        if (act === 'keep') expect([is.kind, is.isSource]).toEqual(['file', true]);
      }),
    );
  });
});

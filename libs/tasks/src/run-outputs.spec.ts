import { describe, expect, it } from '@jest/globals';
import { completeRunOutputs } from './run-outputs.js';
import { memoryFiles, sha1 } from '../test/fakes.js';

const DATA: Record<string, string> = { 'file:///d/a': 'aaa', 'file:///d/x/y': 'y' };
const deps = () => ({ files: memoryFiles(DATA), checksum: (uri: string) => Promise.resolve(sha1(DATA[uri] ?? '')) });
const A = { class: 'File', location: 'file:///d/a', basename: 'a' };

describe('completeRunOutputs', () => {
  it('adds sizes, checksums and listings where they are missing', async () => {
    const outputs = { a: [A, 1, null], d: { class: 'Directory', location: 'file:///d/x', basename: 'x' } };
    expect(await completeRunOutputs(outputs, deps())).toEqual({
      a: [{ ...A, size: 3, checksum: sha1('aaa') }, 1, null],
      d: { ...outputs.d, listing: [expect.objectContaining({ location: 'file:///d/x/y', size: 1, checksum: sha1('y') })] },
    });
  });

  it('looks at nothing that is complete already', async () => {
    const files = memoryFiles(DATA);
    const done = { a: { ...A, size: 3, checksum: sha1('aaa') } };
    expect(await completeRunOutputs(done, { files, checksum: () => Promise.reject(new Error('asked')) })).toBe(done);
    expect(files.calls).toEqual([]);
  });

  it('describes literals by their contents', async () => {
    const literal = { class: 'File', basename: 'l', contents: 'x' };
    expect(await completeRunOutputs({ l: literal }, deps())).toEqual({ l: { ...literal, size: 1, checksum: sha1('x') } });
  });
});

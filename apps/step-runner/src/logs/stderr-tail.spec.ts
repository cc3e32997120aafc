import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotPlainError } from '@weft/storage';
import { SecretMask } from './secret-mask.js';
import { StderrTail } from './stderr-tail.js';

it('has the end of a file, nothing of one that is gone, and of no other file that a link leads to', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-tail-'));
  try {
    const [file, link] = [join(directory, 'file'), join(directory, 'link')];
    writeFileSync(file, 'one\ntwo\n');
    symlinkSync(file, link);
    const tail = new StderrTail(new SecretMask([]));
    tail.addFile(join(directory, 'gone'));
    expect(() => tail.addFile(link)).toThrow(new NotPlainError('a symbolic link', 'link'));
    expect(tail.lines()).toEqual([]);
    tail.addFile(file);
    expect(tail.lines()).toEqual(['one', 'two']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

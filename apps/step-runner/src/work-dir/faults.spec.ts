/** What another try is worth, by the type of the error. */
import { ServiceError } from '@weft/platform';
import { RuntimeFailure } from '@weft/runtimes';
import { NotPlainError, StorageError } from '@weft/storage';
import { attemptFailure, collectError, type FaultKind, WorkTreeError } from './faults.js';

const system = (code: string): Error => Object.assign(new Error(`${code}: it failed`), { code });
const KINDS: FaultKind[] = ['MISSING', 'OUTSIDE', 'KIND', 'LOOP', 'NAME', 'LIMIT', 'UNREADABLE'];
/** Codes that the dispatcher tries again. */
const TRIED_AGAIN = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'NOT_FOUND', 'FAILED_PRECONDITION'];

it.each([
  ...KINDS.map((kind) => [kind, new WorkTreeError(kind, 'it is so')] as const),
  ...['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'EPERM'].map((code) => [code, system(code)] as const),
  ...(['UNSUPPORTED', 'TOO_LARGE', 'ACCESS', 'NOT_FOUND'] as const).map(
    (code) => [code, new StorageError(code, 'no', 's3://b/k')] as const,
  ),
  ['a pipe', new NotPlainError('a named pipe (FIFO)', 'it')] as const,
])('%s is permanent', (_, error) => {
  const refused = collectError(error, 'it') as ServiceError;
  expect(refused.name).toBe('ServiceError');
  expect(TRIED_AGAIN).not.toContain(refused.code);
  if (!(error instanceof StorageError) && !(error instanceof NotPlainError)) expect(attemptFailure(error).retryable).toBe(false);
});

it.each(['EIO', 'EMFILE', 'ENFILE', 'ESTALE', 'ETIMEDOUT', 'ENOSPC', 'EDQUOT'])('%s may pass', (code) => {
  expect(TRIED_AGAIN).toContain((collectError(system(code), 'it') as ServiceError).code);
  expect(attemptFailure(system(code)).retryable).toBe(true);
});

it('what is no plain file is told by its name and its nature', () => {
  expect(collectError(new NotPlainError('a named pipe (FIFO)', '/sandbox/it'), 'a/it')).toMatchObject({
    message: "'a/it' is a named pipe (FIFO)",
  });
});

it('what knows for itself is not judged again', () => {
  for (const retryable of [true, false])
    expect(attemptFailure(new RuntimeFailure('IMAGE_PULL', 'no', retryable))).toMatchObject({ code: 'IMAGE_PULL', retryable });
  const known = new ServiceError('OUT_OF_RANGE', 'too large');
  expect(collectError(known, 'it')).toBe(known);
});

it('a full disk is told by its name and how full it is, by whatever it was met', () => {
  const full = Object.assign(system('ENOSPC'), { path: '/' });
  const words = expect.stringMatching(/the disk of \/ has no room for it: .* are free now/);
  expect(collectError(full, 'it')).toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: words });
  expect(attemptFailure(full)).toMatchObject({ code: 'DISK_FULL', message: words, retryable: true });
  const stored = collectError(new StorageError('FULL', 'the disk of / is full', 'file:///x'), 'it');
  expect(stored).toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: expect.stringContaining('the disk of / is full') });
});

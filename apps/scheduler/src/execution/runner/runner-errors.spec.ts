/** Which answers of a runner to Collect are failures of the task, and which are worth another attempt. */
import { ServiceError, type ServiceErrorCode } from '@weft/platform';
import { collectFailure, isRetryable } from './runner-errors.js';

it.each([
  ['INVALID_ARGUMENT', 'OUTPUT_FILE'],
  ['OUT_OF_RANGE', 'OUTPUT_FILE'],
  ['PERMISSION_DENIED', 'OUTPUT_ACCESS'],
] as [ServiceErrorCode, string][])('%s is %s, for good', (code, failure) => {
  const error = collectFailure(new ServiceError(code, "'it' is a named pipe (FIFO)"));
  expect(error).toMatchObject({ name: 'TaskError', code: failure, message: "'it' is a named pipe (FIFO)" });
  expect(isRetryable(error)).toBe(false);
});

it.each(['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'NOT_FOUND', 'FAILED_PRECONDITION'] as ServiceErrorCode[])('%s is worth another', (code) => {
  const error = new ServiceError(code, 'the attempt is not there any more');
  expect(collectFailure(error)).toBe(error);
  expect(isRetryable(error)).toBe(true);
});

import { exitCodeFor } from './validate.js';

describe('the exit code of validate', () => {
  const valid = { valid: true, unsupported: false };
  const invalid = { valid: false, unsupported: false };
  const unsupported = { valid: false, unsupported: true };

  it.each([
    [[valid, valid], 0],
    [[valid, unsupported], 33],
    [[unsupported, invalid], 1],
    [[invalid], 1],
  ])('%j ends with %d', (results, code) => expect(exitCodeFor(results)).toBe(code));
});

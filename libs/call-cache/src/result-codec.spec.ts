import { aStoredResult } from '@weft/testing';
import { decodeResult, encodeResult } from './result-codec.js';

it('a result comes back as it was given, whole numbers of 64 bits digit by digit', () => {
  for (const result of [aStoredResult(), aStoredResult({ outputs: { n: 9223372036854775807n, text: 'ä\n' } })])
    expect(decodeResult(encodeResult(result))).toEqual(result);
});

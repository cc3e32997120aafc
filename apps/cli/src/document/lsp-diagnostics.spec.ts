import { toLsp } from './lsp-diagnostics.js';

describe('toLsp', () => {
  const mistake = { severity: 'error', code: 'unknown-field', message: "unknown field 'x'", file: 'file:///w/a.cwl' } as const;

  it('counts from zero and keeps the hint', () => {
    const place = { line: 3, column: 5, endLine: 4, endColumn: 2 };
    expect(toLsp({ ...mistake, ...place, hint: "did you mean 'y'?" })).toEqual({
      uri: 'file:///w/a.cwl',
      range: { start: { line: 2, character: 4 }, end: { line: 3, character: 1 } },
      severity: 1,
      code: 'unknown-field',
      source: 'weft',
      message: "unknown field 'x'; did you mean 'y'?",
    });
  });

  it.each([
    ['without an end', { line: 3, column: 5 }, { line: 2, character: 4 }],
    ['without a place', { line: 0, column: 0, endLine: 1, endColumn: 1 }, { line: 0, character: 0 }],
  ])('gives a mistake %s an empty range', (_, place, at) => {
    expect(toLsp({ ...mistake, ...place }).range).toEqual({ start: at, end: at });
  });

  it.each([
    ['error', 1],
    ['warning', 2],
    ['note', 3],
  ] as const)('%s is severity %d', (severity, number) => {
    expect(toLsp({ ...mistake, severity, line: 1, column: 1 }).severity).toBe(number);
  });
});

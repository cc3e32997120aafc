import { duration, table, took } from './table.js';

describe('table', () => {
  it('aligns columns and leaves no space at the ends of lines', () => {
    expect(
      table(
        ['id', 'status', 'name'],
        [
          ['r-1', 'failed', 'a b'],
          ['r-22', 'ok', ''],
        ],
      ),
    ).toBe('id    status  name\nr-1   failed  a b\nr-22  ok\n');
  });
});

describe('duration', () => {
  it.each([
    [950, '0.9 s'],
    [12_000, '12 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
  ])('%i ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

it.each([
  [undefined, undefined, ''],
  [new Date(1_000), undefined, '20 s'],
  [new Date(1_000), new Date(18_000), '3.0 s'],
])('a run that was begun at %s and again at %s took %s', (startedAt, retriedAt, text) => {
  expect(took({ startedAt, retriedAt, finishedAt: new Date(21_000) })).toBe(text);
});

import { Preparations, remark } from './preparations.js';

it('tells the first remark of each kind, and not of many', () => {
  const told = new Preparations();
  const remarks = [
    'pulling debian',
    'pulling debian: 3 of 9 MB',
    'staging its inputs',
    'waiting: for the engine',
    'waiting for it',
    'a',
    'b',
    'c',
    'a',
  ];
  expect(remarks.filter((text) => told.isNew(text))).toEqual(['pulling debian', 'staging its inputs', 'waiting: for the engine', 'a', 'b']);
});

it('tells no remark without end', () => {
  expect([remark('short'), remark('x'.repeat(1_000)).length]).toEqual(['short', 301]);
});

/** A look at inputs that takes long is told while it lasts; time passes when the test says so. */
import type { CwlObject } from '@weft/plan';
import type { Clock } from '../kernel/clock.js';
import { lookingAt, slowLook } from './slow-look.js';

const file = (location: string): CwlObject => ({ class: 'File', location });

function aClock(): Clock & { pass(): void } {
  const due = new Set<() => void>();
  return {
    now: () => 0,
    after: (_ms, work) => {
      due.add(work);
      return () => due.delete(work);
    },
    pass: () => due.forEach((work) => due.delete(work) && work()),
  };
}

it.each([
  ['nothing', {}, 'looking at its inputs'],
  ['a local file', { a: file('file:///data/a') }, 'looking at its inputs'],
  ['one that is elsewhere', { a: file('file:///a'), b: file('http://host/b.txt') }, 'looking at its inputs: http://host/b.txt'],
  [
    'several, in any place, one of them twice',
    { a: [file('s3://bucket/a'), { b: file('http://host/b') }], c: { ...file('https://host/c'), secondaryFiles: [file('s3://bucket/a')] } },
    'looking at its inputs: s3://bucket/a and 2 more on other hosts',
  ],
  ['one whose query is a key', { a: file('https://host/a?X-Amz-Signature=secret#x') }, 'looking at its inputs: https://host/a'],
] as [string, CwlObject, string][])('names %s', (_what, inputs, text) => {
  expect(lookingAt(inputs)).toBe(text);
});

it('says nothing of what is quick, also afterwards', async () => {
  const clock = aClock();
  const told: string[] = [];
  expect(await slowLook(clock, {}, (doing) => told.push(doing))(Promise.resolve('seen'))).toBe('seen');
  clock.pass();
  expect(told).toEqual([]);
});

it.each([
  ['is done', (end: { resolve(value: string): void }) => end.resolve('seen'), { status: 'fulfilled', value: 'seen' }],
  ['fails', (end: { reject(reason: string): void }) => end.reject('gone'), { status: 'rejected', reason: 'gone' }],
])('tells what is slow, and takes it back when it %s', async (_how, conclude, result) => {
  const clock = aClock();
  const told: string[] = [];
  const end = { resolve: (_: string): void => undefined, reject: (_: string): void => undefined };
  const work = new Promise<string>((resolve, reject) => Object.assign(end, { resolve, reject }));
  const looked = slowLook(clock, { a: file('http://host/a') }, (doing) => told.push(doing))(work);
  clock.pass();
  expect(told).toEqual(['looking at its inputs: http://host/a']);
  conclude(end);
  expect(await Promise.allSettled([looked])).toEqual([result]);
  expect(told).toEqual(['looking at its inputs: http://host/a', '']);
});

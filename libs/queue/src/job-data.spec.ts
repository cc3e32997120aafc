import { aTaskJob } from '@weft/testing';
import { jobData, jobOf } from './job-data.js';

const through = (data: unknown): unknown => JSON.parse(JSON.stringify(data));

it('a job comes back as it was given, whole numbers of 64 bits digit by digit', () => {
  for (const job of [aTaskJob(), aTaskJob({ inputs: { n: 9223372036854775807n, list: [1, -9007199254740993n] } })])
    expect(jobOf(through(jobData(job)))).toEqual(job);
});

const { inputs: _inputs, ...without } = aTaskJob();
it.each<[string, unknown]>([
  ['nothing', null],
  ['a number', 1],
  ['text', 'text'],
  ['a list', []],
  ['an object', {}],
  ['one without inputs', without],
  ['one whose attempt is no number', { ...aTaskJob(), attempt: '1' }],
  ['one that inherits nothing', { ...aTaskJob(), inherited: null }],
  ['one whose whole text is none', { ...aTaskJob(), exact: 7 }],
  ['one whose whole text is no JSON', { ...aTaskJob(), exact: '{' }],
  ['one whose whole text is no job', { ...aTaskJob(), exact: '{}' }],
])('%s is no job', (_what, data) => expect(jobOf(data)).toBeUndefined());

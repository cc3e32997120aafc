import { aTaskJob } from '@weft/testing';
import { finishedData, jobData, jobOf } from './job-data.js';
import { LONG_JOB } from './ports.js';

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

it('of a job that is done, what is long goes, and it is a job of ours still', () => {
  const long = 'x'.repeat(LONG_JOB.chars);
  for (const inputs of [{ long }, { long, n: 9223372036854775807n }, { list: Array.from({ length: LONG_JOB.values }, () => 1) }]) {
    const job = aTaskJob({ inputs, step: 'align' });
    expect(jobOf(through(finishedData(job)))).toEqual({ ...job, inputs: {} });
  }
  for (const inputs of [{}, { short: 'x' }, { n: 9223372036854775807n }]) expect(finishedData(aTaskJob({ inputs }))).toBeUndefined();
});

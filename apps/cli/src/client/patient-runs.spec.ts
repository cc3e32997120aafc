import { looksFirst } from './patient-runs.js';

it.each([
  ['no files', { x: 1, y: ['http://in/a.text'] }, ''],
  ['files here', { a: { class: 'File', location: 'file:///a' } }, ''],
  [
    'one elsewhere, whose query is a key',
    { a: { class: 'File', location: 'https://host/a?sig=secret' } },
    ', which looks whether the inputs are there: https://host/a',
  ],
  [
    'several',
    {
      a: [
        { class: 'File', location: 's3://b/a' },
        { class: 'File', location: 'file:///a' },
      ],
      b: { class: 'File', location: 'http://h/b' },
    },
    ', which looks whether the inputs are there: s3://b/a and 1 more on other hosts',
  ],
])('a submission with %s', (_what, inputs, said) => {
  expect(looksFirst({ inputsJson: JSON.stringify(inputs) })).toBe(said);
});

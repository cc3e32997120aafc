import { privateReason } from './private-reason.js';

it.each<[string, Record<string, string>, boolean, string | undefined]>([
  ['nothing', {}, false, undefined],
  ['the option', {}, true, '--private'],
  ['the option, whatever the variable says', { WEFT_PRIVATE: '0' }, true, '--private'],
  ['the variable', { WEFT_PRIVATE: '1' }, false, 'WEFT_PRIVATE=1'],
  ['the variable against a batch job', { WEFT_PRIVATE: '0', SLURM_JOB_ID: '7', CI: 'true' }, false, undefined],
  ['Slurm', { SLURM_JOB_ID: '7' }, false, 'in a batch job (SLURM_JOB_ID)'],
  ['PBS', { PBS_JOBID: '7.host' }, false, 'in a batch job (PBS_JOBID)'],
  ['LSF', { LSB_JOBID: '7' }, false, 'in a batch job (LSB_JOBID)'],
  ['Grid Engine', { JOB_ID: '7', SGE_ROOT: '/sge' }, false, 'in a batch job (JOB_ID)'],
  ['a JOB_ID that is not Grid Engine’s', { JOB_ID: '7' }, false, undefined],
  ['GitHub', { GITHUB_ACTIONS: 'true', CI: 'true' }, false, 'in CI (GITHUB_ACTIONS)'],
  ['some CI', { CI: 'true' }, false, 'in CI (CI)'],
  ['a CI of 1', { CI: '1' }, false, 'in CI (CI)'],
  ['a CI that says no', { CI: 'false' }, false, undefined],
  ['an empty CI', { CI: '' }, false, undefined],
])('%s', (_what, env, asked, text) => {
  expect(privateReason(env, asked)?.text).toBe(text);
});

it('tells what was asked for from what was found out', () => {
  expect([privateReason({}, true), privateReason({ WEFT_PRIVATE: '1' }), privateReason({ CI: '1' })].map((one) => one?.asked)).toEqual([
    ...[true, true, false],
  ]);
});

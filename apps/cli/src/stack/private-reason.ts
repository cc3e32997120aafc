/**
 * Whether the stack that a command needs is to belong to that command alone and to end with it: asked for, or because nothing may stay behind
 * where the command runs. Pure.
 */
import type { Environment } from './environment.js';

export interface PrivateReason {
  /** In words: "in a batch job (SLURM_JOB_ID)". */
  text: string;
  /** The user said so; else it was found out, and a stack that somebody started to stay may be used. */
  asked: boolean;
}

/** By what batch systems and CI services tell their jobs apart: each row's variables are all set. */
const SIGNS: readonly [kind: string, ...names: string[]][] = [
  ['a batch job', 'SLURM_JOB_ID'],
  ['a batch job', 'PBS_JOBID'],
  ['a batch job', 'LSB_JOBID'],
  ['a batch job', 'SGE_ROOT', 'JOB_ID'],
  ['a batch job', 'OAR_JOB_ID'],
  ['a batch job', 'FLUX_JOB_ID'],
  ['a batch job', '_CONDOR_SCRATCH_DIR'],
  ['CI', 'GITHUB_ACTIONS'],
  ['CI', 'GITLAB_CI'],
  ['CI', 'BUILDKITE'],
  ['CI', 'TF_BUILD'],
  ['CI', 'JENKINS_URL'],
  ['CI', 'TEAMCITY_VERSION'],
  ['CI', 'CI'],
];

/** @param asked the option of the command line; above all variables */
export function privateReason(env: Environment, asked = false): PrivateReason | undefined {
  if (asked) return { text: '--private', asked: true };
  if (env['WEFT_PRIVATE'] === '1') return { text: 'WEFT_PRIVATE=1', asked: true };
  if (env['WEFT_PRIVATE'] === '0') return undefined;
  const isSet = (name: string): boolean => !['', '0', 'false', undefined].includes(env[name]);
  const sign = SIGNS.find(([, ...names]) => names.every(isSet));
  return sign === undefined ? undefined : { text: `in ${sign[0]} (${sign.at(-1)})`, asked: false };
}

/** A Python with scikit-learn for the tests of the templates' tools: one that is there, else Debian's. */
import { spawnSync } from 'node:child_process';
import { aptInstall } from './debian.js';

const INTERPRETERS = [process.env['WEFT_AL_PYTHON'], '/usr/bin/python3', 'python3'];

/** Where none can be had the tests that need it say so themselves. */
export function ensureScikitLearn(say: (line: string) => void): void {
  if (INTERPRETERS.some((python) => python !== undefined && hasScikitLearn(python)) || process.getuid?.() !== 0) return;
  say('installing python3-sklearn (Debian package, once)');
  if (!aptInstall('python3-sklearn', 'python3-joblib')) say('apt-get could not install python3-sklearn');
}

function hasScikitLearn(python: string): boolean {
  return spawnSync(python, ['-c', 'import sklearn, joblib'], { stdio: 'ignore' }).status === 0;
}

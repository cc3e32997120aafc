/** Runs the unit tests of the templates' Python tools where a Python with scikit-learn is at hand; in CI one must be. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findTemplates } from './template.catalog.js';

const exec = promisify(execFile);

async function findPython(): Promise<string | undefined> {
  for (const python of [process.env['WEFT_AL_PYTHON'], '/usr/bin/python3', 'python3']) {
    if (python === undefined) continue;
    const found = await exec(python, ['-c', 'import sklearn, joblib']).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return undefined;
}

const python = await findPython();
if (python === undefined)
  process.stderr.write('SKIPPED: the Python tools of templates/ are not tested: no python3 with scikit-learn and joblib\n');

if (process.env['CI'] === 'true') {
  it('has a Python with scikit-learn, because in CI a skip is a failure', () => expect(python).toBeDefined());
}

(python === undefined ? it.skip : it)(
  "the tools' own tests pass",
  async () => {
    const tests = join(findTemplates(import.meta.url), 'tests');
    const { stderr } = await exec(python ?? '', ['-B', '-m', 'unittest', 'discover', '-s', tests]);
    expect(stderr).toMatch(/Ran [1-9]\d* tests[\s\S]*\nOK\s*$/);
  },
  120_000,
);

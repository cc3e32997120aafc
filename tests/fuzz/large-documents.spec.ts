/**
 * What grows with a text grows no faster than the text: each case must be answered within the runner's limit of processor time, which for
 * text of this length is far more than reading it takes, and far less than comparing each part of it with each other.
 */
import { CaseRunner } from './case-runner.js';
import { JOB_TOOL, LARGE_DOCUMENTS, LARGE_JOBS } from './large-documents.js';

const SIZE = 400_000;
const ROOT = 'inline:///main.cwl';
const JOB = 'inline:///job.yml';

let runner: CaseRunner;
beforeAll(async () => {
  runner = await CaseRunner.start();
});
afterAll(() => runner.close());

test.each(Object.entries(LARGE_DOCUMENTS))('%s', async (_, text) => {
  await runner.check({ root: ROOT, files: { [ROOT]: text(SIZE) } });
});

test.each(Object.entries(LARGE_JOBS))('a job of %s', async (_, text) => {
  await runner.check({ root: ROOT, files: { [ROOT]: JOB_TOOL, [JOB]: text(SIZE) }, job: JOB });
});

// A case: the files of a folder, and which of them are the document and the job.
import { makeRandom } from './random.mjs';
import { spell } from './spelling.mjs';
import { makeTool } from './tools.mjs';
import { makeFiles, restartNames } from './values.mjs';
import { makeWorkflow } from './workflows.mjs';

const MAKERS = { tool: makeTool, workflow: (r, files) => makeWorkflow(r, files, 2) };

/** `only`: the kind of process; by turns where it is empty. */
export function makeCase(seed, only = '') {
  const r = makeRandom(seed * 7919 + 13);
  restartNames();
  const files = makeFiles();
  const { process, job } = MAKERS[only || r.pick(Object.keys(MAKERS))](r, files);
  const documents = spell(r, { ...process, cwlVersion: 'v1.2' });
  return { files: { ...files.written, ...documents, 'job.json': JSON.stringify(job, null, 1) }, document: 'main.cwl', job: 'job.json' };
}

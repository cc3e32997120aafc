/**
 * Inputs on a server that does not answer until the test lets it: what is done is told meanwhile, on the run's log and by `weft show`, and others'
 * tasks go on. Nothing waits for time: the server is let go when the message is there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FileServer, startFileServer } from '@weft/testing';
import { OwnHome } from './own-home.js';

/** More than wait to be started at once on a small machine (release-window.ts): those that are looked at must not be among them. */
const FILES = Array.from({ length: 8 }, (_, n) => `in-${n}.txt`);
/** Several of them find room on one core. */
const SMALL = 'ResourceRequirement: { coresMin: 0.1, ramMin: 16 }';
const TOOL = `class: CommandLineTool, requirements: { ${SMALL} }, outputs: { out: stdout }, stdout: out.txt`;
const DOCUMENTS = {
  'quick.cwl': `{ cwlVersion: v1.2, ${TOOL}, inputs: [], baseCommand: [echo, hello] }\n`,
  'slow.cwl': `cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {} }
inputs: { files: 'File[]' }
outputs: { said: { type: 'File[]', outputSource: read/out } }
steps:
  read:
    run: { ${TOOL}, inputs: { file: { type: File, inputBinding: {} } }, baseCommand: cat }
    scatter: file
    in: { file: files }
    out: [out]
`,
};

let own: OwnHome;
let server: FileServer;
beforeEach(async () => {
  own = new OwnHome();
  server = await startFileServer();
  for (const name of FILES) server.files.set(name, Buffer.from(name));
  for (const [name, text] of Object.entries(DOCUMENTS)) writeFileSync(join(own.folder, name), text);
  const files = FILES.map((name) => ({ class: 'File', location: server.url + name }));
  writeFileSync(join(own.folder, 'job.json'), JSON.stringify({ files }));
});
afterEach(async () => {
  await own.remove();
  await server.stop();
});

it.each([
  // Before it is placed: for the identity of its inputs, where earlier results are asked for. (The first one of each file is the submission's, which
  // sees whether it is there.)
  ['HEAD', ['--cache'], /looking at its inputs: http:\S+\/in-\d\.txt$/],
  // By its runner.
  ['GET', [], /staging its inputs$/],
])('a held answer to %s', async (held, options, message) => {
  expect(await own.weft('run', '--quiet', 'quick.cwl')).toMatchObject({ code: 0 });
  let letGo = (): void => undefined;
  const gate = new Promise<void>((open) => (letGo = open));
  const seen = new Set<string>();
  server.beforeAnswer = (method, path) => {
    const isFirst = !seen.has(path);
    seen.add(path);
    return method === held && !isFirst ? gate : undefined;
  };
  const run = own.start(['run', ...options, '--outdir', 'out', 'slow.cwl', 'job.json']);
  await run.says(message);
  const id = (await own.weft('ls', '--json')).stdout;
  const runId = /r-[0-9a-z]{26}/.exec(id)?.[0] ?? id;
  expect((await own.weft('show', runId)).stdout).toMatch(new RegExp(`preparing \\(${message.source.replace('$', '\\)')}`));
  expect(await own.weft('run', '--quiet', '--outdir', 'quick', 'quick.cwl')).toMatchObject({ code: 0 });
  letGo();
  const { code, stdout } = await run.ended;
  const { said } = JSON.parse(stdout) as { said: { path: string }[] };
  expect([code, said.map(({ path }) => readFileSync(path, 'utf8'))]).toEqual([0, FILES]);
});

it('a submission that waits for a server says for which', async () => {
  let letGo = (): void => undefined;
  const gate = new Promise<void>((open) => (letGo = open));
  server.beforeAnswer = () => gate;
  const run = own.start(['run', '--quiet', '--outdir', 'out', 'slow.cwl', 'job.json']);
  await run.says(/waiting for the scheduler .*looks whether the inputs are there: http:\S+\/in-0\.txt and 7 more on other hosts/);
  letGo();
  expect(await run.ended).toMatchObject({ code: 0 });
});

/** What is asked of the runner about a task's command line, and how often. */
import { executor } from '@weft/contracts';
import { RunContents, type Where } from './run-contents.js';

const HOST: Where = { runnerId: 'r', address: 'a', runtime: 'process', contained: false };
const ENGINE: Where = { ...HOST, runtime: 'docker', contained: true };
const SANDBOX = '/sandboxes/1';
const spec = (argv: string[], more: Partial<executor.TaskSpec> = {}): executor.TaskSpec => executor.TaskSpec.fromPartial({ argv, ...more });

interface World {
  asked: string[];
  contents: RunContents;
  /** What lies on the runner's machine. */
  files: Map<string, string>;
  pass(ms: number): void;
}

function world(): World {
  const asked: string[] = [];
  const files = new Map([['python3', 'sha256:p']]);
  let nowMs = 0;
  const inspectImage = (
    { image }: executor.InspectImageRequest,
    _metadata: unknown,
    _options: unknown,
    answer: (error: null, response: executor.InspectImageResponse) => void,
  ): object => {
    const reference = image?.reference ?? '';
    asked.push(reference);
    answer(null, executor.InspectImageResponse.create({ imageId: files.get(reference) ?? '' }));
    return {};
  };
  const client = { inspectImage } as never as executor.ContainerExecutorClient;
  return {
    asked,
    files,
    contents: new RunContents(
      () => client,
      () => nowMs,
    ),
    pass: (ms) => void (nowMs += ms),
  };
}

it('asks for the program and the files of the host that a command line names, and for nothing of the task’s own', async () => {
  const { asked, contents, files } = world();
  for (const name of ['/opt/run.py', '/etc/a.conf', '/opt/lib']) files.set(name, `sha256:${name}`);
  const argv = [
    'python3',
    '/opt/run.py',
    '--config=/etc/a.conf',
    '-I',
    "'/opt/lib'",
    `${SANDBOX}/in/x`,
    '/dev/null',
    'plain',
    '/not/there',
  ];
  const found = await contents.of({ runId: 'r-1' }, HOST, spec(argv), SANDBOX);
  expect(found).toEqual({
    python3: 'sha256:p',
    '/opt/run.py': 'sha256:/opt/run.py',
    '/etc/a.conf': 'sha256:/etc/a.conf',
    '/opt/lib': 'sha256:/opt/lib',
  });
  expect(asked.sort()).toEqual(['/etc/a.conf', '/not/there', '/opt/lib', '/opt/run.py', 'python3']);
});

it('says nothing where the program is not there, and the image’s id where there is an engine', async () => {
  const { asked, contents, files } = world();
  expect(await contents.of({ runId: 'r-1' }, HOST, spec(['nowhere', '/opt/run.py']), SANDBOX)).toBeUndefined();
  const contained = spec(['python3'], { image: executor.Image.fromPartial({ reference: 'alpine' }) });
  expect(await contents.of({ runId: 'r-1' }, ENGINE, contained, SANDBOX)).toBeUndefined();
  files.set('alpine', 'sha256:alpine');
  expect(await contents.of({ runId: 'r-1' }, ENGINE, contained, SANDBOX)).toEqual({ image: 'sha256:alpine' });
  expect(asked).toEqual(['nowhere', '/opt/run.py', 'alpine', 'alpine']);
});

it('sees one answer for what a run begins together, another later, and another where a result is to be stored', async () => {
  const { asked, contents, files, pass } = world();
  const look = (runId: string, anew = false): ReturnType<RunContents['of']> =>
    contents.of({ runId, anew }, HOST, spec(['python3']), SANDBOX);
  await look('r-1');
  files.set('python3', 'sha256:new');
  expect(await look('r-1')).toEqual({ python3: 'sha256:p' });
  expect(await look('r-2')).toEqual({ python3: 'sha256:new' });
  expect(await look('r-1', true)).toEqual({ python3: 'sha256:new' });
  files.set('python3', 'sha256:newer');
  pass(60_000);
  expect(await look('r-1')).toEqual({ python3: 'sha256:newer' });
  expect(asked.length).toBe(4);
});

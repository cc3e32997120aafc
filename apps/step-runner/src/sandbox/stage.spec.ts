/** What a task may change, and where its streams may go. */
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { executor } from '@weft/contracts';
import { LocalStorage, pathToFileUri, type StorageRouter } from '@weft/storage';
import type { InputCache } from '../inputs/input-cache.js';
import { RunnerFiles } from '../inputs/runner-files.js';
import { layoutOf, type StagingPlan } from './sandbox-layout.js';
import { makeSandbox, stageInputs } from './stage.js';

const { InputKind } = executor;

let root: string;
let files: RunnerFiles;
let made = 0;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'weft-stage-')));
  const data = join(root, 'data');
  mkdirSync(data);
  files = new RunnerFiles({ local: new LocalStorage() } as StorageRouter, {} as InputCache, data);
});
afterEach(() => rmSync(root, { recursive: true }));

function file(path: string, text: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  chmodSync(full, 0o444);
  return full;
}

interface Asked {
  runId?: string;
  input?: Partial<executor.Input>;
  streams?: { stdoutPath?: string; stderrPath?: string };
}

/** @param source of the input `x` in the working directory */
async function staged(
  source: string,
  { runId = 'r-test', input = {}, streams = {} }: Asked,
): Promise<{ workDir: string; plan: StagingPlan }> {
  const layout = layoutOf(root, `task${(made += 1)}`, 1);
  makeSandbox(layout, (path) => rmSync(path, { recursive: true }));
  const workDir = layout.hostWorkDir;
  const spec = executor.TaskSpec.fromPartial({
    ...{ runId, workDir, tmpDir: layout.hostTmpDir, ...streams },
    inputs: [{ path: join(workDir, 'x'), kind: InputKind.FILE, source: { $case: 'uri', value: pathToFileUri(source) }, ...input }],
  });
  return { workDir, plan: await stageInputs(spec, layout, { containers: false }, files, new AbortController().signal) };
}

describe('an input that is changed in place', () => {
  const input = { writable: true, inPlace: true };

  it('is what the run published, without the bytes that an earlier result shares', async () => {
    const mine = file('data/runs/r-test/t.1/x', 'before');
    const earlier = join(dirname(file('data/runs/r-earlier/t.1/y', 'y')), 'x');
    linkSync(mine, earlier);
    const { workDir } = await staged(mine, { input });
    writeFileSync(join(workDir, 'x'), 'changed');
    expect([mine, earlier].map((path) => readFileSync(path, 'utf8'))).toEqual(['changed', 'before']);
  });

  it('is nothing else', async () => {
    const [user, theirs] = [file('user/x', 'kept'), file('data/runs/r-other/t.1/x', 'kept')];
    const attempts: [string, string][] = [user, theirs].map((path) => [path, 'r-test']);
    for (const runId of ['', '.', '..', '../r-other', 'r-other/..']) attempts.push([theirs, runId]);
    for (const [path, runId] of attempts) {
      const message = `input ${pathToFileUri(path)} is not of this run and cannot be changed in place`;
      await expect(staged(path, { input, runId })).rejects.toMatchObject({ code: 'INPUT_FILE', message, retryable: false });
    }
    expect([user, theirs].map((path) => statSync(path).mode & 0o777)).toEqual([0o444, 0o444]);
  });
});

describe.each(['stdout', 'stderr'] as const)('the file of %s', (stream) => {
  const named = (path: string) => ({ [`${stream}Path`]: path });

  it('may have the name of an input file', async () => {
    const { plan } = await staged(file('user/x', 'kept'), { streams: named('x') });
    expect(plan.staged).toHaveLength(1);
  });

  it.each([
    ['x', 'an input directory has that name'],
    ['x/in', 'it lies in an input directory'],
    ['x/new', 'it lies in an input directory'],
    ['x/new/deep', 'it lies in an input directory'],
  ])('is not %s where that is an input directory or lies in one', async (path, why) => {
    const folder = dirname(file('user/d/in', 'kept'));
    const input = { kind: InputKind.DIRECTORY };
    await expect(staged(folder, { input, streams: named(path) })).rejects.toMatchObject({
      code: 'INPUT_FILE',
      message: `${stream} cannot be '${path}': ${why}`,
      retryable: false,
    });
    expect(existsSync(join(folder, 'new'))).toBe(false);
  });
});

/**
 * What steps pass to each other goes, what a run gives stays; and a run that left Redis answers as before.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CwlObject } from '@weft/plan';
import { run } from '@weft/contracts';
import { Runs } from './runs-client.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

const STEPS = 4;
const tool = (script: string): object => ({
  ...{ class: 'CommandLineTool', baseCommand: ['sh', '-c', script], stdout: 'out.txt' },
  inputs: { f: { type: 'File', inputBinding: {} } },
  outputs: { out: { type: 'stdout' }, beside: { type: 'File', outputBinding: { glob: 'beside.txt' } } },
});
const link = { class: 'ExpressionTool', inputs: { f: 'File' }, outputs: { out: 'File' }, expression: '${ return { out: inputs.f }; }' };

/** Cats a file through a chain of steps; the last step may fail. */
function chain(last = 'cat "$0"'): object {
  const steps: [string, object][] = Array.from({ length: STEPS }, (_, n) => {
    const script = n === STEPS - 1 ? last : 'cat "$0"';
    return [
      `s${n}`,
      {
        run: tool(`${script}; echo log of s${n} >&2; echo x > beside.txt`),
        in: { f: n === 0 ? 'f' : `s${n - 1}/out` },
        out: ['out', 'beside'],
      },
    ];
  });
  return {
    ...{ cwlVersion: 'v1.2', class: 'Workflow', requirements: { InlineJavascriptRequirement: {} }, inputs: { f: 'File' } },
    outputs: { out: { type: 'File', outputSource: 'last/out' } },
    steps: { ...Object.fromEntries(steps), last: { run: link, in: { f: `s${STEPS - 1}/out` }, out: ['out'] } },
  };
}

const LITERAL = { class: 'File', basename: 'in.txt', contents: 'hello\n' };

let stack: Stack;
let runs: Runs;
const data = (): string => join(dirname(stack.sandboxes), 'data');

/** Resolves when a directory, with everything below, looks as wanted; woken by its changes. */
function looks(directory: string, wanted: (files: string[]) => boolean): Promise<string[]> {
  mkdirSync(directory, { recursive: true });
  const files = (): string[] =>
    existsSync(directory)
      ? readdirSync(directory, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
          .sort()
      : [];
  return new Promise((done) => {
    const watcher = watch(directory, { recursive: true }, () => look());
    const look = (): void => {
      const found = files();
      if (!wanted(found)) return;
      watcher.close();
      done(found);
    };
    look();
  });
}

/** Without the logs of tasks, which stay longer. */
const published = (files: string[]): string[] => files.filter((name) => !name.startsWith('logs/'));

/** A stack for the tests of a block. */
function withStack(env: Record<string, string>): void {
  beforeAll(async () => {
    stack = await Stack.start({ WEFT_CALL_CACHE: 'off', ...env });
    runs = new Runs(stack.grpc);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    runs.close();
    await stack.stop();
  });
}

describe('intermediate files', () => {
  withStack({});

  it(
    'a run keeps nothing but its outputs, and they are right',
    async () => {
      const runId = await runs.submit(chain(), { f: LITERAL });
      const { status, outputsJson } = await runs.end(runId);
      expect(status).toBe(run.RunStatus.SUCCEEDED);
      const { out } = JSON.parse(outputsJson) as { out: CwlObject };
      const left = await looks(join(data(), 'runs', runId), (files) => published(files).length === 1);
      expect(published(left)).toEqual([`${runId}-${STEPS}.1/out.txt`]);
      expect(readFileSync(fileURLToPath(String(out['location'])), 'utf8')).toBe('hello\n');
      const kept = await runs.submit(chain(), { f: LITERAL }, { keepIntermediates: true });
      await runs.end(kept);
      await looks(join(data(), 'runs', kept), (files) => published(files).length === 2 * STEPS);
    },
    START_TIMEOUT_MS,
  );
});

describe('runs that left Redis at once', () => {
  withStack({ WEFT_RETENTION_S: '0' });

  it(
    'an archived run answers as before, and a failed one whose files are gone is not retried',
    async () => {
      const runId = await runs.submit(chain(), { f: LITERAL }, { idempotencyKey: 'once' });
      await runs.end(runId);
      const archive = join(data(), 'archive', 'runs');
      await looks(archive, (files) => files.some((name) => name.endsWith(`${runId}.jsonl.gz`)));
      const shown = await stack.weft(['show', runId, '--json']);
      expect(shown).toMatchObject({ code: 0 });
      expect(JSON.parse(shown.stdout)).toMatchObject({ runId, tasks: { length: STEPS + 1 } });
      expect((await stack.weft(['ls'])).stdout).toContain(runId);
      const said = (await stack.weft(['logs', runId])).stdout.replace(/^\[\d\d:\d\d:\d\d /gm, '[');
      expect(said).toBe(Array.from({ length: STEPS }, (_, n) => `[s${n}] log of s${n}\n`).join(''));
      expect((await stack.weft(['doctor'])).stdout).toMatch(/0 active and \d finished in Redis, \d in the archive/);
      expect(await runs.submit(chain(), { f: LITERAL }, { idempotencyKey: 'once' })).toBe(runId);
      expect((await runs.end(runId)).status).toBe(run.RunStatus.SUCCEEDED);

      const failed = await runs.submit(chain('false; exit 1'), { f: LITERAL });
      expect((await runs.end(failed)).status).toBe(run.RunStatus.FAILED);
      await looks(archive, (files) => files.some((name) => name.endsWith(`${failed}.jsonl.gz`)));
      await expect(runs.retry(failed)).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: expect.stringContaining('submit it again'),
      });

      await fetch(`${stack.url}/api/v1/runs/${runId}`, { method: 'DELETE' });
      expect((await stack.weft(['show', runId])).code).not.toBe(0);
      expect(existsSync(join(data(), 'runs', runId))).toBe(false);
      expect((await stack.weft(['ls'])).stdout).not.toContain(runId);
    },
    START_TIMEOUT_MS,
  );

  it(
    'an archived run that failed goes on where its files are still there',
    async () => {
      const gate = join(stack.scratch, 'gate');
      const document = chain(`test -e ${gate} && cat "$0" || exit 1`);
      const runId = await runs.submit(document, { f: LITERAL }, { keepIntermediates: true });
      expect((await runs.end(runId)).status).toBe(run.RunStatus.FAILED);
      await looks(join(data(), 'archive', 'runs'), (files) => files.some((name) => name.endsWith(`${runId}.jsonl.gz`)));
      mkdirSync(gate);
      await runs.retry(runId);
      expect((await runs.end(runId)).status).toBe(run.RunStatus.SUCCEEDED);
      expect((await stack.weft(['ls', '--json'])).stdout.match(new RegExp(runId, 'g'))?.length).toBeGreaterThan(0);
    },
    START_TIMEOUT_MS,
  );
});

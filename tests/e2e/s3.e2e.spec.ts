/**
 * A stack whose data lies in S3: results go there, come from there, and are fetched at most once per host.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createStorage, type StorageRouter } from '@weft/storage';
import { startS3, type TestS3 } from '@weft/testing';
import { Stack, START_TIMEOUT_MS } from './stack.js';

// Two servers, a stack and its tools share what processors there are.

const WORKFLOW = `
cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {}, InlineJavascriptRequirement: {} }
inputs: { words: File, more: Directory }
outputs:
  all: { type: Directory, outputSource: gather/all }
  lines: { type: int, outputSource: read/lines }
  passed: { type: File, outputSource: keep/same }
steps:
  split:
    in: { words: words }
    out: [pieces]
    run:
      class: CommandLineTool
      baseCommand: [split, -l, "10", -d]
      inputs: { words: { type: File, inputBinding: { position: 1 } } }
      arguments: [{ position: 2, valueFrom: piece. }]
      outputs: { pieces: { type: "File[]", outputBinding: { glob: "piece.*" } } }
  upper:
    scatter: piece
    in: { piece: split/pieces }
    out: [big]
    run:
      class: CommandLineTool
      baseCommand: [tr, a-z, A-Z]
      stdin: $(inputs.piece.path)
      stdout: $(inputs.piece.basename).up
      inputs: { piece: File }
      outputs: { big: stdout }
  gather:
    in: { files: upper/big, more: more }
    out: [all]
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'mkdir -p "all/in here" all/empty && cp "$@" "all/in here" && cat "$0"/*/* > all/more']
      inputs:
        more: { type: Directory, inputBinding: { position: 1 } }
        files: { type: "File[]", inputBinding: { position: 2 } }
      outputs: { all: { type: Directory, outputBinding: { glob: all } } }
  count:
    in: { all: gather/all }
    out: [file]
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'find -L "$0" -type f -print0 | xargs -0 cat | wc -l']
      stdout: count.txt
      inputs: { all: { type: Directory, inputBinding: { position: 1 } } }
      outputs: { file: stdout }
  read:
    in: { file: count/file }
    out: [lines]
    run:
      class: ExpressionTool
      inputs: { file: { type: File, loadContents: true } }
      outputs: { lines: int }
      expression: '\${ return { lines: parseInt(inputs.file.contents) }; }'
  keep:
    in: { words: words }
    out: [same]
    run:
      class: ExpressionTool
      inputs: { words: File }
      outputs: { same: File }
      expression: '\${ return { same: inputs.words }; }'
`;
const WORDS = Array.from({ length: 45 }, (_, number) => `word ${number}\n`).join('');
const sha1 = (content: string | Buffer): string => `sha1$${createHash('sha1').update(content).digest('hex')}`;

describe('a stack with its data in S3', () => {
  let s3: TestS3;
  let stack: Stack;
  let storage: StorageRouter;
  let prefix = '';
  let metrics = '';

  beforeAll(async () => {
    s3 = await startS3();
    Object.assign(process.env, s3.environment);
    storage = createStorage({ s3: { endpoint: s3.endpoint } });
    metrics = join(mkdtempSync(join(tmpdir(), 'weft-metrics-')), 'runner.sock');
    prefix = `s3://${s3.bucket}/weft/`;
    await storage.writeText(`s3://${s3.bucket}/in/my%20words.txt`, WORDS);
    await storage.writeText(`s3://${s3.bucket}/in/more/a/one`, 'one\n');
    await storage.writeText(`s3://${s3.bucket}/in/more/b%20c/two`, 'two\n');
    stack = await Stack.start({ ...s3.environment, WEFT_DATA_URI: prefix, WEFT_RUNNER_METRICS_LISTEN: `unix:${metrics}` });
    writeFileSync(join(stack.scratch, 'workflow.cwl'), WORKFLOW);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await storage.close();
    await stack.stop();
    await s3.stop();
    rmSync(dirname(metrics), { recursive: true });
  });

  /** Of the runner's counters, by name with labels. */
  async function counters(): Promise<Record<string, number>> {
    const body = await new Promise<string>((resolve, reject) => {
      request({ socketPath: metrics, path: '/metrics' }, (response) => resolve(text(response)))
        .once('error', reject)
        .end();
    });
    const lines = body.split('\n').filter((line) => line.startsWith('weft_'));
    return Object.fromEntries(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
  }
  const DOWNLOADED = 'weft_runner_downloaded_bytes_total{scheme="s3"}';

  async function run(job: object, outdir: string): Promise<{ code: number | null; outputs: Record<string, never>; stderr: string }> {
    writeFileSync(join(stack.scratch, 'job.json'), JSON.stringify(job));
    const ended = await stack.weft(['run', '--no-cache', '--outdir', outdir, 'workflow.cwl', 'job.json']);
    return { code: ended.code, outputs: ended.code === 0 ? JSON.parse(ended.stdout) : {}, stderr: ended.stderr };
  }
  const words = (more: object = {}): object => ({ class: 'File', location: `s3://${s3.bucket}/in/my%20words.txt`, ...more });
  const more = {
    class: 'Directory',
    get location() {
      return `s3://${s3.bucket}/in/more/`;
    },
  };

  it('runs a scatter, a Directory and loadContents through it; outputs are downloaded with the right bytes', async () => {
    const { code, outputs, stderr } = await run({ words: words({ checksum: sha1(WORDS) }), more }, 'out');
    expect([code, stderr]).toEqual([0, stderr]);
    const out = join(stack.scratch, 'out');
    expect(outputs).toMatchObject({
      lines: 47,
      passed: { basename: 'my words.txt', checksum: sha1(WORDS), path: join(out, 'my words.txt') },
    });
    expect(readFileSync(join(out, 'my words.txt'), 'utf8')).toBe(WORDS);
    const pieces = readdirSync(join(out, 'all/in here')).sort();
    expect(pieces).toEqual([0, 1, 2, 3, 4].map((number) => `piece.0${number}.up`));
    expect(pieces.map((name) => readFileSync(join(out, 'all/in here', name), 'utf8')).join('')).toBe(WORDS.toUpperCase());
    expect(readFileSync(join(out, 'all/more'), 'utf8')).toBe('one\ntwo\n');
    expect(readdirSync(join(out, 'all/empty'))).toEqual([]);
    const { listing } = (outputs as unknown as { all: { listing: { basename: string; checksum?: string }[] } }).all;
    expect(listing.find(({ basename }) => basename === 'more')?.checksum).toBe(sha1('one\ntwo\n'));
    // Inputs came once; what tasks handed on to each other did not come at all.
    const after = await counters();
    expect(after[DOWNLOADED]).toBe(WORDS.length + 'one\ntwo\n'.length);
    expect(after['weft_runner_uploaded_bytes_total{scheme="s3"}']).toBeGreaterThan(2 * WORDS.length);
  });

  it('fetches nothing again for a second run on the same host', async () => {
    const before = await counters();
    const { code } = await run({ words: words(), more }, 'again');
    expect(code).toBe(0);
    const after = await counters();
    expect(after[DOWNLOADED]).toBe(before[DOWNLOADED]);
    expect(after['weft_runner_cache_misses_total']).toBe(before['weft_runner_cache_misses_total']);
    expect(after['weft_runner_cache_hits_total']).toBeGreaterThan(before['weft_runner_cache_hits_total'] ?? 0);
  });

  it('says what is wrong with an input: its checksum, or that it is not there', async () => {
    const stated = sha1('other words');
    const wrong = await run({ words: words({ checksum: stated }), more }, 'none');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain(`has the checksum ${sha1(WORDS)}, not ${stated} as its File value says`);
    const gone = await run({ words: { class: 'File', location: `s3://${s3.bucket}/in/none` }, more }, 'none');
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining(`s3://${s3.bucket}/in/none does not exist`)]);
    expect(existsSync(join(stack.scratch, 'none'))).toBe(false);
  });

  it('removes what a run published when the run is deleted, and nothing else', async () => {
    const listed = (await storage.list(`${prefix}runs/`)).map(({ name }) => name);
    expect(listed.length).toBe(2);
    const [first = '', ...others] = listed;
    const deleted = await fetch(`${stack.url}/api/v1/runs/${first}`, { method: 'DELETE' });
    expect(deleted.ok).toBe(true);
    const left = (await storage.list(`${prefix}runs/`)).map(({ name }) => name);
    expect(left).toEqual(others);
    expect(await storage.readText(`s3://${s3.bucket}/in/my%20words.txt`, 10_000)).toBe(WORDS);
  });
});

/**
 * Bad input, through `weft run` and through REST: one clear message, the right exit code or status, nothing on stdout, nothing left.
 *
 * Invariants: what is refused before submission is no run; what fails as a run has no container and no sandbox afterwards.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerEvents, containersOf, describeWithDocker } from './docker.js';
import { Rest } from './rest.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\n';
const WORKFLOW = 'cwlVersion: v1.2\nclass: Workflow\noutputs: []\n';
const PASS =
  '{class: ExpressionTool, requirements: {InlineJavascriptRequirement: {}}, inputs: {x: int}, outputs: {y: int}, expression: "${ return {y: 1}; }"}';
const CAT = `${TOOL}baseCommand: cat\ninputs:\n  file: {type: File, inputBinding: {}}\noutputs: []\n`;
const MISSING = '/nonexistent/reads.fq';

interface Mistake {
  name: string;
  cwl: string;
  /** With its place, after the name of the document. */
  message: string;
  exitCode?: number;
  status?: number;
}

const REFUSED: Mistake[] = [
  {
    name: 'not YAML',
    cwl: `${TOOL}inputs: [\n`,
    message: ":4:1: error: not valid YAML: what starts with '[' is not closed before this line, or this line is not indented enough",
  },
  {
    name: 'an unknown field',
    cwl: `${TOOL}baseComand: echo\ninputs: []\noutputs: []\n`,
    message: ":3:1: error: a CommandLineTool has no field 'baseComand'; did you mean 'baseCommand'?",
  },
  {
    name: 'a source that names nothing',
    cwl: `${WORKFLOW}inputs: {word: int}\nsteps:\n  say:\n    run: ${PASS}\n    in: {x: wrod}\n    out: [y]\n`,
    message: ":8:13: error: the workflow has no input 'wrod'; did you mean 'word'?",
  },
  {
    name: 'a cycle',
    cwl: `${WORKFLOW}inputs: []\nsteps:\n  a:\n    run: ${PASS}\n    in: {x: b/y}\n    out: [y]\n  b:\n    run: ${PASS}\n    in: {x: a/y}\n    out: [y]\n`,
    message: ':12:13: error: these steps wait for each other: a → b → a',
  },
  {
    name: 'a requirement nobody knows',
    cwl: `${TOOL}requirements: {MadeUpRequirement: {}}\nbaseCommand: 'true'\ninputs: []\noutputs: []\n`,
    message: ":3:16: error: the requirement 'MadeUpRequirement' is not supported",
    exitCode: 33,
    status: 501,
  },
];

let stack: Stack;
let rest: Rest;

beforeAll(async () => {
  stack = await Stack.start();
  rest = new Rest(stack.url);
}, START_TIMEOUT_MS);
afterAll(() => stack.stop());

/** A document in the scratch directory; its name. */
function written(cwl: string): string {
  writeFileSync(join(stack.scratch, 'doc.cwl'), cwl);
  return 'doc.cwl';
}

const weftRun = (...args: string[]) => stack.weft(['run', '--outdir', 'out', ...args]);
const runIds = async (): Promise<string[]> => {
  const { body } = await rest.get('/api/v1/runs');
  return (body['runs'] as { run_id: string }[]).map((run) => run.run_id);
};

describe('refused before anything is stored', () => {
  afterEach(async () => {
    expect(await runIds()).toEqual([]);
    expect((await stack.weft(['ls'])).stdout).toBe('');
    await stack.noSandboxLeft();
  });

  it.each(REFUSED)('$name', async ({ cwl, message, exitCode = 1, status = 400 }) => {
    expect(await weftRun(written(cwl))).toEqual({ code: exitCode, stdout: '', stderr: `doc.cwl${message}\n` });
    const answer = await rest.post('/api/v1/runs', { cwl });
    expect(answer).toMatchObject({ status, body: { error: `inline:///workflow.cwl${message}`, diagnostics: [{ severity: 'error' }] } });
  });

  it('a required input that is missing', async () => {
    const stderr = "command line: error: input 'file' is missing (File)\n";
    expect(await weftRun(written(CAT))).toEqual({ code: 1, stdout: '', stderr });
    const error = "inputs: error: input 'file' is missing (File)";
    expect(await rest.post('/api/v1/runs', { cwl: CAT })).toMatchObject({ status: 400, body: { error } });
  });

  it('a File that does not exist', async () => {
    const message = `inputs: error: input 'file': ${MISSING} does not exist`;
    expect(await weftRun(written(CAT), '--file', MISSING)).toEqual({ code: 1, stdout: '', stderr: `weft: ${message}\n` });
    const inputs = { file: { class: 'File', location: `file://${MISSING}` } };
    expect(await rest.post('/api/v1/runs', { cwl: CAT, inputs })).toMatchObject({ status: 400, body: { error: message } });
  });

  it('a document that is not there', async () => {
    const stderr = `none.cwl: error: ${join(stack.scratch, 'none.cwl')} does not exist\n`;
    expect(await weftRun('none.cwl')).toEqual({ code: 1, stdout: '', stderr });
  });
});

describe('failed as a run', () => {
  /** The run of the last `weft run`. */
  const latest = async (): Promise<string> => (await runIds())[0] ?? '';

  it('a tool that exits non-zero: the last lines it wrote are shown', async () => {
    const cwl = `${TOOL}baseCommand: [sh, -c, 'echo before >&2; echo "the reason" >&2; exit 3']\ninputs: []\noutputs: []\n`;
    const { code, stdout, stderr } = await weftRun('--quiet', written(cwl));
    const runId = await latest();
    const message = `weft: run ${runId} failed: the tool exited with code 3\nlast lines of its stderr:\n  before\n  the reason\n`;
    expect([code, stdout, stderr]).toEqual([1, '', message]);
    const { body } = await rest.get(`/api/v1/runs/${runId}`);
    const failure = { code: 'TOOL_EXIT', message: 'the tool exited with code 3', exit_code: 3, stderr_tail: ['before', 'the reason'] };
    expect(body).toMatchObject({ status: 'failed', failure });
    await stack.noSandboxLeft();
  });

  const javascript = 'requirements: {InlineJavascriptRequirement: {}, StepInputExpressionRequirement: {}}';
  it.each([
    [
      'in a command line',
      `${TOOL}${javascript}\ninputs: []\noutputs: []\nbaseCommand: echo\narguments:\n- |\n  ${'${'}\n    var a = inputs.x;\n    return a.foo;\n  }\n`,
      /: doc\.cwl:11:13: TypeError: cannot read property 'foo' of undefined \(line 3 of the expression\): \$\{ var a/,
    ],
    [
      'in an output',
      `${TOOL}${javascript}\ninputs: []\nbaseCommand: 'true'\noutputs:\n  n: {type: int, outputBinding: {outputEval: $(self.none.at)}}\n`,
      /: doc\.cwl:7:\d+: TypeError: .*\$\(self\.none\.at\)/,
    ],
    [
      'in a step',
      `${WORKFLOW}${javascript}\ninputs: []\nsteps:\n  say:\n    run: ${PASS}\n    in: {x: {valueFrom: $(nothing)}}\n    out: [y]\n`,
      /: step 'say': doc\.cwl:9:27: ReferenceError: 'nothing' is not defined/,
    ],
    [
      'of the wrong kind',
      `${WORKFLOW}${javascript}\ninputs: []\nsteps:\n  say:\n    run: ${PASS}\n    in: []\n    out: []\n    when: $(1)\n`.replace(
        'x: int',
        '',
      ),
      /: step 'say': doc\.cwl:11:11: when must be true or false; \$\(1\) gave 1/,
    ],
  ])('an expression %s: the place in the document', async (_, cwl, message) => {
    const { code, stdout, stderr } = await weftRun('--quiet', written(cwl));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    const { body } = await rest.get(`/api/v1/runs/${await latest()}`);
    expect(body).toMatchObject({ status: 'failed', failure: { code: 'EXPRESSION' } });
  });

  describeWithDocker('in a container', () => {
    it(
      'an image that cannot be had: which, and why',
      async () => {
        const events = await ContainerEvents.open();
        const image = 'registry.invalid/no/such:1';
        const cwl = `${TOOL}requirements: {DockerRequirement: {dockerPull: '${image}'}}\nbaseCommand: 'true'\ninputs: []\noutputs: []\n`;
        const { code, stdout, stderr } = await weftRun('--quiet', written(cwl));
        const runId = await latest();
        expect([code, stdout]).toEqual([1, '']);
        expect(stderr.split('\n')).toHaveLength(2);
        expect(stderr).toMatch(new RegExp(`^weft: run ${runId} failed: cannot pull image '${image}': .*registry\\.invalid.*\\n$`));
        expect(events.all(runId)).toEqual([]);
        await stack.noSandboxLeft();
        events.close();
      },
      START_TIMEOUT_MS,
    );

    it('a tool that exits non-zero leaves no container', async () => {
      const events = await ContainerEvents.open();
      const requirements = 'requirements: {DockerRequirement: {dockerPull: debian:stable-slim}}';
      const cwl = `${TOOL}${requirements}\nbaseCommand: [sh, -c, 'echo inside >&2; exit 4']\ninputs: []\noutputs: []\n`;
      const { code, stdout, stderr } = await weftRun('--quiet', written(cwl));
      const runId = await latest();
      const message = `weft: run ${runId} failed: the tool exited with code 4\nlast lines of its stderr:\n  inside\n`;
      expect([code, stdout, stderr]).toEqual([1, '', message]);
      await events.of(runId, 'destroy');
      expect(await containersOf(runId)).toEqual([]);
      await stack.noSandboxLeft();
      events.close();
    });
  });
});

/** How much is read, and how much is told of what is wrong. */
import { bindInputs, bundleFetcher, parseJob, readJob } from './index.js';
import { MAX_NODES, MAX_REQUIREMENTS, MAX_TOLD, MAX_UNION, MAX_YAML_CHARS, MAX_YAML_TOKENS } from './limits.js';
import { loadText } from './spec-support/load-text.js';

const HEAD = 'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\noutputs: []\n';
const TOOL = `${HEAD}inputs: {n: "int[]?", text: string?}\n`;
const JOB = 'file:///job.json';

async function planOf(text: string) {
  const { plan } = await loadText(text);
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

test('of many mistakes the first are told, and how many more there are', async () => {
  const { diagnostics, plan } = await loadText(`${HEAD}inputs: []\narguments: [${'[],'.repeat(1_234)}]\n`);
  expect(plan).toBeUndefined();
  expect(diagnostics).toHaveLength(MAX_TOLD + 1);
  expect(diagnostics.at(-1)).toMatchObject({ severity: 'error', code: 'more-diagnostics', message: 'and 1,134 more errors' });
});

test('errors are told although there are many warnings, and the other way round', async () => {
  const hints = Array.from({ length: 300 }, (_, i) => `{class: Foo${i}}`).join(', ');
  const { diagnostics } = await loadText(`${HEAD}inputs: []\nhints: [${hints}]\narguments: 5\nbogus: 1\n`);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ code }) => code).sort()).toEqual(['unknown-field', 'wrong-type']);
  expect(diagnostics.at(-1)?.message).toBe('and 200 more warnings');
});

test('what is only not supported stays so, however often', async () => {
  const items = (n: number): string => Array.from({ length: n }, () => '{class: "x:Foo"}').join(', ');
  const { unsupported, diagnostics } = await loadText(`${HEAD}inputs: []\n$namespaces: {x: "http://x/"}\nrequirements: [${items(150)}]\n`);
  expect(diagnostics.every(({ code }) => code.startsWith('unsupported-') || code === 'more-diagnostics')).toBe(true);
  expect(unsupported).toBe(true);
});

test('of many wrong values of a job the first are told', async () => {
  const plan = await planOf(TOOL);
  const { diagnostics, inputs } = bindInputs({ plan, job: parseJob(`{"n": [${'"a",'.repeat(5_000)}1]}`, JOB), baseUri: JOB });
  expect(inputs).toBeUndefined();
  expect(diagnostics).toHaveLength(MAX_TOLD + 1);
  expect(diagnostics.at(-1)?.message).toBe('and 4,900 more errors');
});

test('a message quotes the beginning and the end of what is long', async () => {
  const { diagnostics } = await loadText(`${HEAD}inputs: {x: "${'a'.repeat(100_000)}"}\n`);
  expect(diagnostics.map(({ message }) => message.length < 3_000)).toEqual([true]);
});

test.each(['1', '[2, 3]'])('an array of 101,000 values such as %s is taken, whatever else the job imports', async (item) => {
  const job = `{"n": [${`${item},`.repeat(101_000)}${item}], "x": {"$import": "x.yml"}}`;
  const read = await readJob(JOB, bundleFetcher({ [JOB]: job, 'file:///x.yml': '1' }));
  expect(read.diagnostics).toEqual([]);
  expect((read.value?.['n'] as unknown[]).length).toBe(101_001);
});

test('a string of nine million characters is read', async () => {
  const text = `${'a'.repeat(9_000_000)}\\n`;
  const { inputs, diagnostics } = bindInputs({ plan: await planOf(TOOL), job: parseJob(`{"text": "${text}"}`, JOB), baseUri: JOB });
  expect(diagnostics).toEqual([]);
  expect((inputs?.['text'] as string).length).toBe(9_000_001);
});

test('more words and signs of YAML than are allowed are refused in one sentence', () => {
  // Fewer values than are allowed: what takes the time is to read them.
  const { root, diagnostics } = parseJob(`n: [${'1, '.repeat(MAX_YAML_TOKENS / 2)}1]\n`, JOB);
  expect(root).toBeUndefined();
  expect(diagnostics.map(({ message }) => message)).toEqual([expect.stringMatching(/^the YAML has more than 1000000 words and signs; /)]);
});

test('a longer YAML text than is allowed is refused in one sentence, and JSON of that length is read', () => {
  const text = 'word '.repeat(MAX_YAML_CHARS / 5);
  const yaml = `n: >\n  ${text}\n`;
  expect(parseJob(yaml.slice(0, MAX_YAML_CHARS), JOB).diagnostics).toEqual([]);
  const { root, diagnostics } = parseJob(yaml, JOB);
  expect(root).toBeUndefined();
  expect(diagnostics.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^this is not JSON, and YAML may have 8388608 characters; /),
  ]);
  expect(parseJob(JSON.stringify({ n: text.repeat(2) }), JOB).diagnostics).toEqual([]);
});

test.each(['requirements', 'hints'])('more %s than are allowed are refused in one sentence', async (which) => {
  const items = (n: number): string => '{class: InlineJavascriptRequirement},'.repeat(n);
  const mapping = (n: number): string => Array.from({ length: n }, (_, at) => `x${at}: {}`).join(', ');
  const of = async (text: string): Promise<string[]> =>
    (await loadText(`${HEAD}inputs: []\n${which}: ${text}\n`)).diagnostics.map(({ message }) => message);
  expect((await of(`[${items(MAX_REQUIREMENTS)}]`)).filter((message) => message.includes('are allowed'))).toEqual([]);
  for (const many of [`[${items(MAX_REQUIREMENTS + 1)}]`, `{${mapping(MAX_REQUIREMENTS + 1)}}`])
    expect(await of(many)).toEqual([`'${which}' has 1001 items; 1000 are allowed`]);
});

test('more alternatives of a type than are allowed are refused in one sentence', async () => {
  const of = (n: number) => loadText(`${HEAD}inputs: {x: [${Array(n).fill('{type: array, items: int}').join(', ')}]}\n`);
  expect((await of(MAX_UNION)).diagnostics).toEqual([]);
  const { plan, diagnostics } = await of(MAX_UNION + 1);
  expect(plan).toBeUndefined();
  expect(diagnostics.map(({ message }) => message)).toEqual(['a type has more than 1000 alternatives']);
});

test('more values than are allowed are refused in one sentence', () => {
  const { root, diagnostics } = parseJob(`{"n": [${'1,'.repeat(MAX_NODES)}1]}`, JOB);
  expect(root).toBeUndefined();
  expect(diagnostics.map(({ message }) => message)).toEqual([expect.stringMatching(/^the document has more than 1000000 values; put /)]);
});

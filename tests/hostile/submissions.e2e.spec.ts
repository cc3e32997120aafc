/** Items 6 and 7 of docs/solid-ground.md: documents and jobs that are made to be slow, against the running stack. */
import { LARGE_DOCUMENTS } from '../fuzz/large-documents.js';
import { ATTACKER, describeWithDocker, oneHardenedStack, tool } from './hardened-stack.js';

const CHARACTERS = 6_000_000;
const HOSTILE = [
  'keys of a block mapping',
  'merged mappings',
  'wrong items',
  'open references',
  'deep JSON',
  'aliases',
  'double quotes without end',
  'brackets of a type',
];
const HOSTILE_OBJECTS = ['inputs without a name', 'unknown fields'];
/** Longer than anybody reads. */
const ANSWER_CHARACTERS = 100_000;

describeWithDocker('submissions that are made to be slow', () => {
  const { hardened, attack } = oneHardenedStack();

  const kinds = [
    ...HOSTILE.map((name): [string, (text: string) => string] => [name, (text) => JSON.stringify({ cwl: text, project_id: ATTACKER })]),
    ...HOSTILE_OBJECTS.map((name): [string, (text: string) => string] => [
      `${name}, as an object`,
      (text) => `{"cwl":${text},"project_id":"${ATTACKER}"}`,
    ]),
  ];
  it.each(kinds)('a document of %s is refused in few words, and a neighbour runs beside four of them', async (name, bodyOf) => {
    const text = LARGE_DOCUMENTS[name.replace(/,.*/, '')]?.(CHARACTERS) ?? '';
    expect(text.length).toBeGreaterThan(CHARACTERS / 10);
    const body = bodyOf(text);
    const answers = Array.from({ length: 4 }, async () => {
      const answer = await hardened().rest('/api/v1/runs', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      return { status: answer.status, text: await answer.text() };
    });
    await hardened().neighbourRuns();
    for (const answer of await Promise.all(answers)) {
      expect([400, 413, 422, 429]).toContain(answer.status);
      expect(answer.text.length).toBeLessThan(ANSWER_CHARACTERS);
    }
  });

  it('globs that are too much for the names that the tool left are a failure for good', async () => {
    const glob = Array.from({ length: 1_000 }, (_, i) => `*0*0*0*0*0*x${i}`);
    const { end, attempts } = await attack(
      tool('seq 20000 | awk \'{ printf "%0245d\\n", $1 }\' | xargs touch', { outputs: { o: { type: 'File[]', outputBinding: { glob } } } }),
    );
    expect(end.failure).toMatchObject({ code: 'OUTPUT_GLOB', message: expect.stringContaining('too much to look for in the 20000 paths') });
    expect(attempts).toBe(1);
  });

  const STEP = { run: { ...tool('true'), inputs: { a: 'int', b: 'int', c: 'int' } }, out: [] };
  const scatter = (inputs: object, steps: object, from: (name: string) => string): object => ({
    ...{ cwlVersion: 'v1.2', class: 'Workflow', inputs, outputs: {} },
    requirements: [{ class: 'ScatterFeatureRequirement' }, { class: 'InlineJavascriptRequirement' }],
    steps: {
      ...steps,
      s: { ...STEP, in: { a: from('a'), b: from('b'), c: from('c') }, scatter: ['a', 'b', 'c'], scatterMethod: 'flat_crossproduct' },
    },
  });
  const list = Array.from({ length: 800 }, (_, i) => i);

  it('a scatter of 800³ is refused where the arrays are inputs, and fails where a step makes them', async () => {
    const ints = { a: 'int[]', b: 'int[]', c: 'int[]' };
    await expect(
      hardened().submit(
        scatter(ints, {}, (name) => name),
        { a: list, b: list, c: list },
      ),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/512000000|512,000,000/),
    });
    const make = {
      ...{ class: 'ExpressionTool', inputs: {}, outputs: ints },
      expression: '${ var l = []; for (var i = 0; i < 800; i += 1) l.push(i); return { a: l, b: l, c: l }; }',
    };
    const { end } = await attack(scatter({}, { make: { run: make, in: {}, out: ['a', 'b', 'c'] } }, (name) => `make/${name}`));
    expect(end.failure).toMatchObject({ code: 'SCATTER_LIMIT' });
  });
});

/** Item 9 of docs/solid-ground.md: results, errors and labels that are long, against whoever lists, reads and asks whether the stack is well. */
import { gateway, run } from '@weft/contracts';
import { callServerStream, callUnary } from '@weft/platform';
import { type Attack, ATTACKER, describeWithDocker, oneHardenedStack, tool } from './hardened-stack.js';

const MB = 1_000_000;

/** Hands out a text of so many characters. */
const long = (characters: number): object => ({
  ...{ cwlVersion: 'v1.2', class: 'ExpressionTool', requirements: [{ class: 'InlineJavascriptRequirement' }] },
  ...{ inputs: {}, outputs: { o: 'string' }, expression: `\${ return { o: 'x'.repeat(${characters}) }; }` },
});

/** Gathers such texts. */
const gathered = (count: number, characters: number): object => ({
  ...{ cwlVersion: 'v1.2', class: 'Workflow', requirements: [{ class: 'ScatterFeatureRequirement' }] },
  inputs: { n: 'int[]' },
  outputs: { all: { type: 'string[]', outputSource: 's/o' } },
  steps: { s: { run: { ...long(characters), inputs: { n: 'int' } }, in: { n: 'n' }, scatter: 'n', out: ['o'] } },
});

describeWithDocker('results that are long', () => {
  const { hardened, attacks, attack } = oneHardenedStack();

  async function outputsOf({ runId }: Attack): Promise<{ grpc: string; rest: string }> {
    const { client } = hardened().runs;
    const parts: Uint8Array[] = [];
    const request = { runId, kind: run.ObjectKind.OUTPUTS, taskId: '' };
    for await (const { data } of callServerStream<gateway.ObjectRequest, run.ObjectData>(client.object.bind(client), request))
      parts.push(data);
    const response = await hardened().rest(`/api/v1/runs/${runId}/outputs`);
    expect(response.status).toBe(200);
    return { grpc: Buffer.concat(parts).toString(), rest: await response.text() };
  }

  /** Every list there is, its pages together. */
  async function lists(): Promise<string[][]> {
    const { client } = hardened().runs;
    const { runs } = await callUnary(client, client.list, gateway.ListRequest.fromPartial({ projectId: ATTACKER, pageSize: 1000 }));
    const rest = await Promise.all(
      [`/api/v1/runs?project_id=${ATTACKER}&page_size=1000`, `/streamflow/projects/${ATTACKER}/workflows`].map(async (path) => {
        const response = await hardened().rest(path);
        expect([path, response.status]).toEqual([path, 200]);
        const body = (await response.json()) as { runs?: { run_id: string }[]; workflows?: { workflow_id: string }[] };
        return body.runs?.map(({ run_id: id }) => id) ?? body.workflows?.map(({ workflow_id: id }) => id) ?? [];
      }),
    );
    return [runs.map(({ runId }) => runId), ...rest];
  }

  async function expectListed(): Promise<void> {
    const wanted = attacks.map(({ runId }) => runId).sort();
    for (const listed of await lists()) expect(listed.sort()).toEqual(wanted);
    expect(await (await hardened().rest('/readyz')).json()).toMatchObject({ ready: true });
  }

  it('keep no list from being read, and are read themselves', async () => {
    for (let n = 0; n < 6; n += 1) {
      const { end } = await attack(long(14 * MB));
      expect([end.failure, end.status, end.outputsOmitted]).toEqual([undefined, run.RunStatus.SUCCEEDED, true]);
    }
    await expectListed();
    const wanted = JSON.stringify({ o: 'x'.repeat(14 * MB) });
    const found = await outputsOf(attacks[3] as Attack);
    expect([found.grpc === wanted, found.rest === wanted]).toEqual([true, true]);
  });

  it('come together to what is longer than a message', async () => {
    const seen = await attack(gathered(5, 14 * MB), { n: [1, 2, 3, 4, 5] });
    expect([seen.end.failure, seen.end.status, seen.end.outputsOmitted]).toEqual([undefined, run.RunStatus.SUCCEEDED, true]);
    const found = await outputsOf(seen);
    expect(found.rest.length).toBeGreaterThan(70 * MB);
    expect(found.grpc === found.rest).toBe(true);
    await expectListed();
  });

  it('are a failure for good where they are longer than a log takes', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const outputs = Object.fromEntries(names.map((name) => [name, { type: 'string', outputBinding: { outputEval: '$(inputs.s)' } }]));
    const { end, attempts } = await attack({ ...tool('true', { outputs }), inputs: { s: 'string' } }, { s: 'y'.repeat(15 * MB) });
    expect(end.failure).toMatchObject({ code: 'OUTPUT_SIZE', message: expect.stringContaining('write what is large to files') });
    expect(attempts).toBe(1);
    await expectListed();
  });

  it('begin with a text of 9 MB', async () => {
    const outputs = { s: { type: 'string', outputBinding: { outputEval: '$(inputs.s)' } } };
    const { end } = await attack({ ...tool('true', { outputs }), inputs: { s: 'string' } }, { s: `${'z'.repeat(9 * MB)}\n"\\` });
    expect([end.failure, end.status]).toEqual([undefined, run.RunStatus.SUCCEEDED]);
  });

  it('are cut where they are words of a failure, and refused where they are labels', async () => {
    const expression = "${ throw new Error('x'.repeat(5000000)); }";
    const { end } = await attack({ ...long(1), expression });
    expect(end.failure?.code).toBe('EXPRESSION');
    expect(end.failure?.message.length).toBeLessThan(20_000);
    const labels = { long: 'x'.repeat(70_000) };
    await expect(hardened().submit(long(1), {}, { labels })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('labels'),
    });
    await expectListed();
  });
});

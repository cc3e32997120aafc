/** Item 9 of docs/solid-ground.md: runs that would take all of the scheduler's memory, by what they bring and by what their tools make. */
import { run } from '@weft/contracts';
import { ATTACKER, describeWithDocker, oneHardenedStack, tool } from './hardened-stack.js';

const MIB = 1024 * 1024;
/** What runs may hold together. */
const CAPACITY_MIB = 32;
/** More fit into no message; of these two fit, and not four. */
const BROUGHT = 10 * MIB;

describeWithDocker('runs that would take the memory of the scheduler', () => {
  const { hardened, attacks, attack } = oneHardenedStack({ WEFT_RUN_MEMORY_MIB: String(CAPACITY_MIB) });

  const waiting = { ...tool('sleep 1000'), inputs: { text: 'string' } };
  const submitLong = (): Promise<string> => hardened().submit(waiting, { text: 'x'.repeat(BROUGHT) });

  it('that stay are refused when they hold what they may, while a neighbour runs, and taken again when they have gone', async () => {
    const staying: string[] = [];
    for (;;) {
      const one = await submitLong().catch((error: unknown) => error as Error & { code?: string });
      if (typeof one !== 'string') {
        expect(one).toMatchObject({ message: expect.stringContaining(`those of project '${ATTACKER}' their share`) });
        break;
      }
      staying.push(one);
      expect(staying.length).toBeLessThan(4);
    }
    expect(staying.length).toBeGreaterThan(1);
    await hardened().neighbourRuns(staying[0]);
    for (const runId of staying) {
      await hardened().runs.cancel(runId);
      attacks.push(await hardened().witness(runId));
    }
    const again = await submitLong();
    await hardened().runs.cancel(again);
    attacks.push(await hardened().witness(again));
  });

  it('whose tools make more and more fail, and nobody else', async () => {
    const make = {
      ...{ class: 'ExpressionTool', inputs: { n: 'int' }, outputs: { o: 'string' } },
      expression: `\${ return { o: 'x'.repeat(${5 * MIB}) }; }`,
    };
    const { end } = await attack(
      {
        ...{
          cwlVersion: 'v1.2',
          class: 'Workflow',
          requirements: [{ class: 'ScatterFeatureRequirement' }, { class: 'InlineJavascriptRequirement' }],
        },
        ...{ inputs: { n: 'int[]' }, outputs: { all: { type: 'string[]', outputSource: 's/o' } } },
        steps: { s: { run: make, in: { n: 'n' }, scatter: 'n', out: ['o'] } },
      },
      { n: Array.from({ length: 10 }, (_, n) => n) },
    );
    expect([end.status, end.failure?.code]).toEqual([run.RunStatus.FAILED, 'OUTPUT_SIZE']);
    expect(end.failure?.message).toContain('no memory left');
  });
});

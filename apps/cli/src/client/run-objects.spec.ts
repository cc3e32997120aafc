/** Objects of runs, as they come with a message or by themselves. */
import { run } from '@weft/contracts';
import { inputsOf, objectText, outputsOf } from './run-objects.js';

const { INPUTS, OUTPUTS } = run.ObjectKind;

/** A service that has these, and hands them out in bytes that end anywhere. */
function service(objects: Partial<Record<run.ObjectKind, string>>) {
  const asked: [string, run.ObjectKind][] = [];
  return {
    asked,
    async *object(runId: string, kind: run.ObjectKind): AsyncGenerator<run.ObjectData, void, undefined> {
      asked.push([runId, kind]);
      for (const byte of Buffer.from(objects[kind] ?? '')) yield { data: Buffer.from([byte]) };
    },
  };
}

it('are taken from the message where they are there', async () => {
  const runs = service({});
  expect(await inputsOf(runs, run.Run.create({ runId: 'r-1', inputsJson: '{"a":"ä"}' }))).toEqual({ a: 'ä' });
  expect(await outputsOf(runs, 'r-1', { outputsJson: '', outputsOmitted: false })).toEqual({});
  expect(runs.asked).toEqual([]);
});

it('are fetched where they are long', async () => {
  const runs = service({ [INPUTS]: '{"a":"ä🧬"}', [OUTPUTS]: '{"b":[1]}' });
  expect(await inputsOf(runs, run.Run.create({ runId: 'r-1', inputsOmitted: true }))).toEqual({ a: 'ä🧬' });
  expect(await outputsOf(runs, 'r-1', { outputsJson: '', outputsOmitted: true })).toEqual({ b: [1] });
  expect(await objectText(runs, 'r-2', OUTPUTS)).toBe('{"b":[1]}');
  expect(runs.asked).toEqual([
    ['r-1', INPUTS],
    ['r-1', OUTPUTS],
    ['r-2', OUTPUTS],
  ]);
});

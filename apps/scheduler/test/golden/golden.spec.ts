/**
 * Logs of every kind of run, kept from the version on that wrote them: whatever the engine becomes, it decides about them as it did.
 * `WEFT_RECORD_GOLDEN=1` writes the logs that are not there, for the rules of this version; it never writes one that is.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import * as engine from '@weft/engine';
import { createEvaluator } from '@weft/expressions';
import { KINDS } from './kinds.js';
import { recordGolden } from './record.js';
import { decisionsOf, type Engine, type GoldenLog, readGolden, writeGolden } from './replay.js';

const LOGS = join(import.meta.dirname, 'logs');
const SUMS = join(LOGS, 'SHA256SUMS');
const SET = `rules-${engine.RULES_VERSION}`;
const missing = Object.keys(KINDS).filter((name) => !existsSync(join(LOGS, SET, `${name}.jsonl`)));
if (process.env['WEFT_RECORD_GOLDEN'] === '1') await record(missing);

const files = readdirSync(LOGS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => readdirSync(join(LOGS, name)).map((file) => `${name}/${file}`))
  .sort();
const golden = (file: string): GoldenLog => readGolden(readFileSync(join(LOGS, file), 'utf8'));
const expected = ({ entries, end }: GoldenLog): unknown => ({ decided: entries.map(({ decided, hash }) => ({ decided, hash })), end });

async function record(names: string[]): Promise<void> {
  const evaluator = createEvaluator();
  mkdirSync(join(LOGS, SET), { recursive: true });
  for (const name of names) {
    const text = writeGolden(await recordGolden(name, KINDS[name] ?? { document: {}, inputs: {} }, evaluator));
    writeFileSync(join(LOGS, SET, `${name}.jsonl`), text, { flag: 'wx' });
    appendFileSync(SUMS, `${sum(text)}  ${SET}/${name}.jsonl\n`);
  }
  await evaluator.close();
}

function sum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

it('there is a log of every kind of run by the rules of this version', () => {
  expect(Object.keys(KINDS).filter((name) => !files.includes(`${SET}/${name}.jsonl`))).toEqual([]);
});

it('what was recorded is as it was recorded', () => {
  const sums = files.map((file) => `${sum(readFileSync(join(LOGS, file), 'utf8'))}  ${file}`);
  expect(sums.sort()).toEqual(readFileSync(SUMS, 'utf8').trimEnd().split('\n').sort());
});

it.each(files)('%s is decided as it was', (file) => {
  const log = golden(file);
  expect(decisionsOf(engine, log)).toEqual(expected(log));
});

it('whatever numbers the code has for runs that are accepted now, those that were are decided by their own', async () => {
  const { CURRENT_RULES } = engine;
  const others = { ...CURRENT_RULES, shardsAhead: 3, refillAt: 1, bindingChunk: 2, maxShards: 4, retryBaseMs: 7, retryMaxMs: 9 };
  expect(Object.entries(others).filter(([name, value]) => value === CURRENT_RULES[name as keyof typeof others])).toEqual([
    ['version', CURRENT_RULES.version],
  ]);
  const rules = join(import.meta.dirname, '../../../../libs/engine/src/rules.ts');
  const real = (await import(rules)) as object;
  jest.resetModules();
  jest.unstable_mockModule(rules, () => ({ ...real, CURRENT_RULES: others }));
  const changed = (await import('@weft/engine')) as Engine & { CURRENT_RULES: object };
  expect(changed.CURRENT_RULES).toBe(others);
  expect(changed.decide).not.toBe(engine.decide);
  for (const file of files) {
    const log = golden(file);
    expect([file, decisionsOf(changed, log)]).toEqual([file, expected(log)]);
  }
  // They would decide otherwise by those: what is held here is held by something.
  const differs = files.filter((file) => {
    const log = golden(file);
    const [first] = log.entries;
    if (first?.event.type === 'RunAccepted') first.event = { ...first.event, rules: others };
    return JSON.stringify(decisionsOf(changed, log)) !== JSON.stringify(expected(log));
  });
  expect(differs.length).toBeGreaterThan(5);
});

it('a log that a later version wrote is refused, not guessed at', () => {
  const log = golden(`${SET}/tool.jsonl`);
  const [accepted] = log.entries;
  if (accepted?.event.type !== 'RunAccepted') throw new Error('a log begins with RunAccepted');
  const { state } = engine.decide(engine.initialState(log.plan), accepted.event, accepted.atMs);
  expect(() => engine.decide(state, { type: 'TaskTeleported' } as never, 1)).toThrow(
    /a kind that this version of weft does not know: TaskTeleported/,
  );
  const later = { ...accepted.event, rules: { ...engine.CURRENT_RULES, version: engine.RULES_VERSION + 1 } };
  expect(() => engine.decide(engine.initialState(log.plan), later, 1)).toThrow(/accepted by a later version of weft/);
});

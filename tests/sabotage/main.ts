/** Entry of `npm run sabotage`: undoes one rule after the other in a copy, and demands that the tests which are said to hold it fail. */
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { keyOf } from './rules.js';
import { PROJECTS, type Red, type Undoing, problemsOf, projectOf, readPages, undoingsOf } from './undoings.js';
import { type Ran, verdictOf, whyNotGreen } from './verdict.js';
import { Workplace } from './workplace.js';

const USAGE = `npm run sabotage -- [--only ${PROJECTS.join(',')}] [text of a section, rule, file or spec]…`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Count {
  red: number;
  wrong: number;
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { only: { type: 'string' } } });
  const only = values.only?.split(',') ?? [...PROJECTS];
  if (only.some((name) => !PROJECTS.some((one) => one === name))) throw new Error(`--only takes ${PROJECTS.join(', ')}\n${USAGE}`);
  const root = process.cwd();
  const chosen = undoingsOf(readPages(root)).filter((one) => isWanted(one, only, positionals));
  if (chosen.length === 0) throw new Error(`no rule matches\n${USAGE}`);
  const stale = chosen.flatMap((one) => problemsOf(root, one));
  if (stale.length > 0) throw new Error(`the list is stale:\n${stale.join('\n')}`);

  const place = new Workplace(root);
  let interrupted: keyof typeof constants.signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      interrupted = signal;
      place.end(`interrupted by ${signal}`);
    });
  try {
    const count: Count = { red: 0, wrong: 0 };
    const whyUnfit = await greens(place, chosen);
    for (const one of chosen) {
      if (interrupted !== undefined) break;
      await undo(place, one, whyUnfit, count);
    }
    say(`${count.red} of ${chosen.length} undone rules were found by their tests`);
    if (interrupted !== undefined) return 128 + constants.signals[interrupted];
    return count.wrong === 0 ? 0 : 1;
  } finally {
    place.remove();
  }
}

function isWanted(one: Undoing, only: readonly string[], texts: readonly string[]): boolean {
  const all = [keyOf(one), ...one.edits.map(({ file }) => file), ...one.red.flatMap(({ spec, tests }) => [spec, ...tests])]
    .join('\n')
    .toLowerCase();
  return one.red.every(({ spec }) => only.includes(projectOf(spec))) && texts.every((text) => all.includes(text.toLowerCase()));
}

/** Each spec once as it is. Answers why one of its tests is no witness; undefined where all of them pass. */
async function greens(place: Workplace, chosen: readonly Undoing[]): Promise<(red: Red) => string | undefined> {
  const named = new Map<string, Set<string>>();
  for (const { spec, tests } of chosen.flatMap(({ red }) => red)) {
    const names = named.get(spec) ?? new Set();
    for (const name of tests) names.add(name);
    named.set(spec, names);
  }
  const seen = new Map<string, Ran | string>();
  for (const [spec, names] of named) seen.set(spec, await place.test(projectOf(spec), spec, [...names]));
  return ({ spec, tests }) => {
    const ran = seen.get(spec) ?? 'it was not run';
    return typeof ran === 'string' ? ran : whyNotGreen(ran, tests);
  };
}

async function undo(place: Workplace, one: Undoing, whyUnfit: (red: Red) => string | undefined, count: Count): Promise<void> {
  const wrong = (why: string): void => {
    count.wrong += 1;
    say(`WRONG  ${keyOf(one)}: ${why}`);
  };
  await place.whileUndone(one.edits, async () => {
    const by: string[] = [];
    for (const red of one.red) {
      const { spec, tests } = red;
      const unfit = whyUnfit(red);
      if (unfit !== undefined) return wrong(`${spec}: ${unfit}`);
      const ran = await place.test(projectOf(spec), spec, tests, one.hangs);
      const verdict = typeof ran === 'string' ? { isRed: false as const, why: ran } : verdictOf(ran, tests, one.hangs);
      if (!verdict.isRed) return wrong(`${spec}: ${verdict.why}`);
      by.push(`${spec}: ${verdict.by}`);
    }
    count.red += 1;
    say(`red    ${keyOf(one)} (${by.join('; ')})`);
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}

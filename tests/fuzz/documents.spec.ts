/**
 * Mutated documents and jobs: there is always a plan, or diagnostics, in time. A failure prints the seed; WEFT_FUZZ_SEED draws the same cases
 * again, WEFT_FUZZ_RUNS draws more of them.
 */
import { jest } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { CaseRunner } from './case-runner.js';
import type { FuzzCase } from './case-worker.js';
import { collectCorpus, type Specimen } from './corpus.js';
import { edit, mutate, mutateText, print, textEdit, type Json } from './mutations.js';

const RUNS = Number(process.env['WEFT_FUZZ_RUNS'] ?? 2000);
const seed = process.env['WEFT_FUZZ_SEED'];
const options = { numRuns: RUNS, ...(seed !== undefined && { seed: Number(seed) }) };
jest.setTimeout(30 * 60_000);

let corpus: Specimen[] = [];
let runner: CaseRunner;

beforeAll(async () => {
  [corpus, runner] = await Promise.all([collectCorpus(), CaseRunner.start()]);
});
afterAll(() => runner.close());

const specimen = fc.nat(1_000_000);
const edits = fc.array(edit, { minLength: 1, maxLength: 5 });
const printed = fc.constantFrom('json' as const, 'pretty' as const, 'yaml' as const);

function pick(n: number): Specimen {
  return corpus[n % corpus.length] as Specimen;
}

/** A file of the specimen, documents more often than what they import. */
function target({ root, files }: Specimen, n: number): string {
  const names = Object.keys(files).filter((name) => !/\.(owl|ttl|js|txt)$/.test(name));
  return n % 3 === 0 ? (names[Math.floor(n / 3) % names.length] ?? root) : (root.split('#')[0] ?? root);
}

/** Text that no YAML reader takes is left as it is. */
function mutated(text: string, change: (value: Json) => string): string {
  let value: Json;
  try {
    value = parse(text, { logLevel: 'silent' }) as Json;
  } catch {
    return text;
  }
  return change(value ?? null);
}

test('the corpus is there', () => expect(corpus.length).toBeGreaterThan(10));

test('documents whose structure was changed', async () => {
  await fc.assert(
    fc.asyncProperty(specimen, fc.nat(1000), edits, printed, (n, which, changes, how) => {
      const chosen = pick(n);
      const name = target(chosen, which);
      const text = mutated(chosen.files[name] ?? '', (value) => print(mutate(value, changes, name.slice(name.lastIndexOf('/') + 1)), how));
      return runner.check({ ...chosen, files: { ...chosen.files, [name]: text } });
    }),
    { ...options, numRuns: 2 * RUNS },
  );
});

test('documents whose text was changed', async () => {
  await fc.assert(
    fc.asyncProperty(specimen, fc.nat(1000), fc.array(textEdit, { minLength: 1, maxLength: 4 }), (n, which, changes) => {
      const chosen = pick(n);
      const name = target(chosen, which);
      return runner.check({ ...chosen, files: { ...chosen.files, [name]: mutateText(chosen.files[name] ?? '', changes) } });
    }),
    options,
  );
});

test('jobs whose structure or text was changed', async () => {
  const withJobs = corpus.filter((s) => s.job !== undefined);
  await fc.assert(
    fc.asyncProperty(specimen, edits, fc.array(textEdit, { maxLength: 2 }), printed, (n, changes, textChanges, how) => {
      const chosen = withJobs[n % withJobs.length] as Specimen & { job: string };
      const text = mutated(chosen.files[chosen.job] ?? '', (value) => print(mutate(value, changes, 'job'), how));
      const one: FuzzCase = { ...chosen, files: { ...chosen.files, [chosen.job]: mutateText(text, n % 2 === 0 ? textChanges : []) } };
      return runner.check(one);
    }),
    options,
  );
});

test('the cases reach plans and inputs, not only complaints', () => {
  expect(runner.reached.plan).toBeGreaterThan(0);
  expect(runner.reached.inputs).toBeGreaterThan(0);
  expect(runner.reached.diagnostics).toBeGreaterThan(0);
});

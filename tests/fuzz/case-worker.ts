/**
 * Runs cases: a document through the loader, a job through binding, every string of the plan through the
 * expression scanner. Answers with what was broken, or null. Bundled by case-runner.ts.
 */
import { bindInputs, bundleFetcher, formatDiagnostic, jobFromArguments, loadDocument, parseJob, readJob, type Diagnostic } from '@weft/cwl';
import { canonicalJson, type Plan } from '@weft/plan';
import { ExpressionError } from '../../libs/expressions/src/api.js';
import { parseParameterReference } from '../../libs/expressions/src/parameter-reference.js';
import { scan } from '../../libs/expressions/src/scanner.js';
import { answerCases } from './worker.js';

export interface FuzzCase {
  root: string;
  files: Record<string, string>;
  job?: string;
}

export interface FuzzAnswer {
  /** Undefined where the invariants held. */
  broken?: string;
  /** For the count of what the cases reach. */
  reached: 'diagnostics' | 'plan' | 'inputs';
}

answerCases<FuzzCase, FuzzAnswer>((one) =>
  run(one).catch((error: unknown) => ({
    reached: 'diagnostics',
    broken: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })),
);

async function run({ root, files, job }: FuzzCase): Promise<FuzzAnswer> {
  const fetcher = bundleFetcher(files);
  const loaded = await loadDocument(root, fetcher);
  const broken = speaksPlainly(loaded.diagnostics) ?? answered(loaded.plan !== undefined, loaded.diagnostics);
  if (broken !== undefined || loaded.plan === undefined) return { broken, reached: 'diagnostics' };
  const inPlan = isSound(loaded.plan) ?? scans(loaded.plan);
  if (inPlan !== undefined || job === undefined) return { broken: inPlan, reached: 'plan' };
  const parsed = await readJob(job, fetcher);
  const plain = parseJob(files[job] ?? '', job);
  let reached: FuzzAnswer['reached'] = 'plan';
  for (const one of [parsed, plain, plain.value ?? {}]) {
    const bound = bindInputs({ plan: loaded.plan, job: one, baseUri: job, namespaces: loaded.namespaces });
    const wrong = speaksPlainly(bound.diagnostics) ?? answered(bound.inputs !== undefined, bound.diagnostics);
    if (wrong !== undefined) return { broken: wrong, reached };
    if (bound.inputs !== undefined) reached = 'inputs';
    if (bound.inputs !== undefined) canonicalJson(bound.inputs);
  }
  jobFromArguments(
    loaded.plan,
    Object.keys(plain.value ?? {}).flatMap((key) => [`--${key}`, JSON.stringify(plain.value?.[key])]),
    job,
  );
  return { reached };
}

function answered(hasResult: boolean, diagnostics: readonly Diagnostic[]): string | undefined {
  const hasErrors = diagnostics.some((d) => d.severity === 'error');
  return hasResult === hasErrors ? `result: ${hasResult}, errors: ${hasErrors}: ${JSON.stringify(diagnostics.slice(0, 3))}` : undefined;
}

function speaksPlainly(diagnostics: readonly Diagnostic[]): string | undefined {
  const odd = diagnostics.find(
    (d) =>
      d.message === '' || /\[object|\bNaN\b/.test(d.message) || d.line < 0 || (d.line > 0 && d.column < 1) || formatDiagnostic(d) === '',
  );
  return odd && `an odd diagnostic: ${JSON.stringify(odd)}`;
}

/** Plans are plain JSON. */
function isSound(plan: Plan): string | undefined {
  const text = JSON.stringify(plan);
  return canonicalJson(JSON.parse(text)) === canonicalJson(plan) ? undefined : 'the plan is not plain JSON';
}

function scans(plan: Plan): string | undefined {
  const open: unknown[] = [plan];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'object' && next !== null) for (const one of Object.values(next)) if (one !== undefined) open.push(one);
    if (typeof next !== 'string') continue;
    for (const rule of ['lookahead', 'skip'] as const) {
      try {
        for (const segment of scan(next, rule)) if (segment.kind === 'expression') parseParameterReference(segment.code);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
      }
    }
  }
  return undefined;
}

/**
 * What a submission brings → plan and input object. Pure: the same on the service's thread (small submissions) and in a worker (loading-pool.ts).
 */
import {
  bindInputs,
  bundleFetcher,
  loadDocument,
  overridesOfJob,
  parseJob,
  planHash,
  requirementsOfJob,
  type Diagnostic,
  type DocumentBundle,
} from '@weft/cwl';
import type { CwlObject, Plan, Requirement } from '@weft/plan';

export interface LoadRequest {
  document: DocumentBundle;
  /** Absent: only the document is looked at. */
  job?: { inputsJson: string; baseUri: string };
}

export interface Loaded {
  diagnostics: Diagnostic[];
  /** Every error says that something is not supported. */
  unsupported: boolean;
  /** Absent where there are errors. Requirements of the job are in it. */
  plan?: Plan;
  /** Its text, where it was made already. */
  planJson?: string;
  hash?: string;
  /** Bound to the root's inputs, files not looked at yet. Absent where there are errors or no job. */
  inputs?: CwlObject;
  /** Their text, where they were read from it. */
  inputsJson?: string;
}

/** Characters that have to be read. */
export function sizeOf({ document, job }: LoadRequest): number {
  let size = job?.inputsJson.length ?? 0;
  for (const text of Object.values(document.files)) size += text.length;
  return size;
}

export async function loadSubmission({ document, job: given }: LoadRequest): Promise<Loaded> {
  const job = given && parseJob(given.inputsJson, 'inputs');
  if (job && !job.root) return { diagnostics: job.diagnostics, unsupported: false };
  const loaded = await loadDocument(document.rootUri, bundleFetcher(document.files), {
    ...(job && { requirements: requirementsOfJob(job), overrides: overridesOfJob(job) }),
    ...(document.part && { part: document.part }),
  });
  const { diagnostics, unsupported, plan } = loaded;
  if (!plan || !given || !job) return { diagnostics, unsupported, plan, hash: loaded.hash };
  const bound = bindInputs({ plan, job, baseUri: given.baseUri, file: 'inputs', namespaces: loaded.namespaces, leftOut: loaded.leftOut });
  const all = [...diagnostics, ...bound.diagnostics];
  if (!bound.inputs) return { diagnostics: all, unsupported: false };
  const whole = withJobRequirements(plan, bound.requirements ?? []);
  return { diagnostics: all, unsupported: false, plan: whole, hash: whole === plan ? loaded.hash : planHash(whole), inputs: bound.inputs };
}

/** Requirements of the job file (`cwl:requirements`) go above the root process's own. Source: CWL v1.2 §5.2. */
function withJobRequirements(plan: Plan, requirements: Requirement[]): Plan {
  const root = plan.processes[plan.root];
  if (requirements.length === 0 || !root) return plan;
  const named = new Set(requirements.map((requirement) => requirement.class));
  const own = root.requirements.filter((requirement) => !named.has(requirement.class));
  return { ...plan, processes: { ...plan.processes, [plan.root]: { ...root, requirements: [...own, ...requirements] } } };
}

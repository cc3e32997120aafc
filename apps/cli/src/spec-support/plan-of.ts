/** For specs: the plan of a document given as text. */
import { bundleFetcher, loadDocument } from '@weft/cwl';
import type { Plan, Process } from '@weft/plan';

export async function planOf(text: string): Promise<Plan> {
  const uri = 'file:///work/main.cwl';
  const { plan, diagnostics } = await loadDocument(uri, bundleFetcher({ [uri]: text }));
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

export function rootOf(plan: Plan): Process {
  const root = plan.processes[plan.root];
  if (root === undefined) throw new Error('the plan has no root');
  return root;
}

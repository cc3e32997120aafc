/** All checks that need more than one part of a plan. They run over whatever could be built, and say nothing about what could not. */
import type { Process } from '@weft/plan';
import type { Origins } from '../build/context.js';
import type { Reporter } from '../diagnostics.js';
import { checkCycles } from './check-cycles.js';
import { checkExpressions } from './check-expressions.js';
import { checkFeatures } from './check-features.js';
import { checkReferences } from './check-references.js';
import { checkTypes } from './check-types.js';
import type { Around } from './around.js';
import { WorkflowScope } from './scope.js';

export function checkLinks(
  processes: Readonly<Record<string, Process>>,
  root: string,
  origins: Origins,
  reporter: Reporter,
  around: Around,
): void {
  const scopes = new Map<string, WorkflowScope>();
  for (const process of Object.values(processes)) {
    if (process.class !== 'Workflow') continue;
    const scope = new WorkflowScope(process, processes, origins, reporter);
    scopes.set(process.id, scope);
    checkReferences(scope);
    checkCycles(scope);
    checkTypes(scope);
  }
  checkFeatures(root, processes, scopes, around);
  checkExpressions(root, processes, origins, reporter, around);
}

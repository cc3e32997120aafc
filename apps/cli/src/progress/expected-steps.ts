/** What a plan says beforehand about the tasks of its run. */
import type { Plan } from '@weft/plan';

export interface ExpectedSteps {
  /** Paths of the steps that have tasks; '' where the document is a tool. */
  paths: ReadonlySet<string>;
  /** Some of them have tasks that nobody can count beforehand: a scattered workflow, a loop. */
  open: boolean;
}

/** Beyond this many nothing is expected: the same workflow may be in a plan many times. */
const MAX_PATHS = 10_000;

export function expectedSteps(plan: Plan): ExpectedSteps | undefined {
  const paths = new Set<string>();
  let open = false;
  const visit = (key: string, path: string): void => {
    const process = plan.processes[key];
    if (process?.class !== 'Workflow') return void paths.add(path);
    for (const { name, run, scatter, loop } of process.steps) {
      if (paths.size > MAX_PATHS) return;
      open ||= loop !== undefined || (scatter.length > 0 && plan.processes[run]?.class === 'Workflow');
      visit(run, path === '' ? name : `${path}/${name}`);
    }
  };
  visit(plan.root, '');
  return paths.size > MAX_PATHS ? undefined : { paths, open };
}

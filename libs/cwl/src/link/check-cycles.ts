/** Steps must not wait for themselves. Each cycle gives one message, at the source that closes it. */
import type { SourceRef } from '@weft/plan';
import { refName, type WorkflowScope } from './scope.js';

interface Edge {
  to: string;
  ref: SourceRef;
}

/** Depth-first without recursion: chains of steps may be long. Linear in steps and sources. */
export function checkCycles(scope: WorkflowScope): void {
  const edges = new Map<string, Edge[]>();
  for (const step of scope.workflow.steps) {
    const sources = step.in.flatMap((input) => input.link?.sources ?? []);
    edges.set(
      step.name,
      sources.flatMap((ref) => (ref.step !== null && scope.steps.has(ref.step) ? [{ to: ref.step, ref }] : [])),
    );
  }
  const done = new Set<string>();
  for (const start of edges.keys()) if (!done.has(start)) walk(start, edges, done, scope);
}

function walk(start: string, edges: ReadonlyMap<string, Edge[]>, done: Set<string>, scope: WorkflowScope): void {
  const path: { name: string; next: number }[] = [{ name: start, next: 0 }];
  const onPath = new Set([start]);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const edge = edges.get(top.name)?.[top.next];
    top.next += 1;
    if (edge === undefined) {
      done.add(top.name);
      onPath.delete(top.name);
      path.pop();
    } else if (onPath.has(edge.to)) {
      report(path, edge, scope);
    } else if (!done.has(edge.to)) {
      path.push({ name: edge.to, next: 0 });
      onPath.add(edge.to);
    }
  }
}

/** `path` follows sources backwards; the message follows the data. */
function report(path: readonly { name: string }[], edge: Edge, scope: WorkflowScope): void {
  scope.reporter.error(scope.sourcePlace(edge.ref), 'cycle', () => {
    const names = path.map(({ name }) => name);
    const cycle = names.slice(names.indexOf(edge.to)).reverse();
    return cycle.length === 1
      ? `step '${edge.to}' waits for its own output '${refName(edge.ref)}'`
      : `these steps wait for each other: ${[...cycle.slice(-1), ...cycle].join(' → ')}`;
  });
}

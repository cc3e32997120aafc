/**
 * Findings that may still be thrown away, as while the members of a union are tried.
 * Invariant: of many problems the first MAX_TOLD errors and warnings are kept, the others counted (see diagnostics.ts).
 */
import type { Lazy, Reporter } from '../diagnostics.js';
import { MAX_TOLD } from '../limits.js';
import type { Place } from '../source/node.js';

interface Problem {
  severity: 'error' | 'warning';
  place: Place;
  code: string;
  message: Lazy<string>;
  hint: Lazy<string | undefined>;
}

export class Problems {
  private readonly found: Problem[] = [];
  private readonly counts = { error: 0, warning: 0 };

  error(place: Place, code: string, message: Lazy<string>, hint?: Lazy<string | undefined>): void {
    this.keep({ severity: 'error', place, code, message, hint });
  }

  warning(place: Place, code: string, message: Lazy<string>, hint?: Lazy<string | undefined>): void {
    this.keep({ severity: 'warning', place, code, message, hint });
  }

  add(other: Problems): void {
    const before = { ...this.counts };
    for (const problem of other.found) this.keep(problem);
    this.counts.error = before.error + other.counts.error;
    this.counts.warning = before.warning + other.counts.warning;
  }

  get count(): number {
    return this.counts.error + this.counts.warning;
  }

  reportTo(reporter: Reporter): void {
    const left = { ...this.counts };
    for (const { severity, place, code, message, hint } of this.found) {
      left[severity] -= 1;
      reporter[severity](place, code, message, hint);
    }
    reporter.countMore('error', left.error);
    reporter.countMore('warning', left.warning);
  }

  private keep(problem: Problem): void {
    if (this.counts[problem.severity] < MAX_TOLD) this.found.push(problem);
    this.counts[problem.severity] += 1;
  }
}

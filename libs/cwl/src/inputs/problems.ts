/** Findings that may still be thrown away, as while the members of a union are tried. */
import type { Reporter } from '../diagnostics.js';
import type { Place } from '../source/node.js';

interface Problem {
  severity: 'error' | 'warning';
  place: Place;
  code: string;
  message: string;
  hint: string | undefined;
}

export class Problems {
  private readonly found: Problem[] = [];

  error(place: Place, code: string, message: string, hint?: string): void {
    this.found.push({ severity: 'error', place, code, message, hint });
  }

  warning(place: Place, code: string, message: string, hint?: string): void {
    this.found.push({ severity: 'warning', place, code, message, hint });
  }

  add(other: Problems): void {
    this.found.push(...other.found);
  }

  get count(): number {
    return this.found.length;
  }

  reportTo(reporter: Reporter): void {
    for (const { severity, place, code, message, hint } of this.found) {
      if (severity === 'error') reporter.error(place, code, message, hint);
      else reporter.warning(place, code, message, hint);
    }
  }
}

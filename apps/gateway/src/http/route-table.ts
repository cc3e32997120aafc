/**
 * What the gateway serves, so that a path that is there can be told from a method that is not: collected while routes are registered, and so
 * never another list than the router's.
 */
import { withoutEndSlashes } from '@weft/plan';
import type { FastifyInstance } from 'fastify';

export interface KnownRoute {
  method: string;
  /** As it was registered: `/api/v1/runs/:id`. */
  pattern: string;
}

export class RouteTable {
  readonly routes: KnownRoute[] = [];
  private readonly matchers = new Map<string, { matches: RegExp; methods: Set<string> }>();

  /** Before the first route is registered. */
  collectFrom(server: FastifyInstance): void {
    server.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) this.add({ method: one.toUpperCase(), pattern: url });
    });
  }

  /** The methods that a path is served by, sorted; none: there is no such path. */
  methodsAt(path: string): string[] {
    const methods = [...this.matchers.values()].filter(({ matches }) => matches.test(path)).flatMap((entry) => [...entry.methods]);
    if (methods.length === 0) return [];
    return [...new Set([...methods, 'OPTIONS'])].sort();
  }

  private add(route: KnownRoute): void {
    this.routes.push(route);
    const known = this.matchers.get(route.pattern) ?? { matches: matcherOf(route.pattern), methods: new Set() };
    known.methods.add(route.method);
    this.matchers.set(route.pattern, known);
  }
}

/** Of the patterns that routers take, those that are used here: `:name` is one segment, `*` whatever follows. A slash at the end counts for nothing. */
function matcherOf(pattern: string): RegExp {
  const segments = withoutEndSlashes(pattern).split('/').map(segment);
  return new RegExp(`^${segments.join('/')}/?$`);
}

function segment(text: string): string {
  if (text.startsWith(':')) return '[^/]+';
  return text.replace(/[.*+?^${}()|[\]\\]/g, (char) => (char === '*' ? '.*' : `\\${char}`));
}

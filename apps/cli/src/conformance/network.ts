/**
 * Tests that fetch something from a host of the internet: which hosts, and whether this machine can name them.
 * Where it cannot, such a test says nothing about the engine: it is reported apart, by name and with the reason.
 */
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConformanceTest } from './suite.js';

/** The hosts that the tool of a test fetches from: only tests tagged so may, and one that must fail needs no answer. */
export function hostsOf(folder: string, test: ConformanceTest): string[] {
  if (test.should_fail || !test.tags.includes('networkaccess')) return [];
  return hostsIn(readFileSync(join(folder, test.tool.split('#')[0] ?? test.tool), 'utf8'));
}

/** Hosts that expressions and scripts in a document open: quoted http(s) addresses. Namespaces are not quoted in code. */
export function hostsIn(text: string): string[] {
  const found = [
    ...text.matchAll(/urlopen\(\s*["']https?:\/\/([A-Za-z0-9.-]+)/g),
    ...text.matchAll(/\b(?:curl|wget)\b[^\n]*?https?:\/\/([A-Za-z0-9.-]+)/g),
  ];
  return [...new Set(found.map(([, host]) => host ?? ''))];
}

export type Resolve = (host: string) => Promise<boolean>;

export const resolves: Resolve = (host) =>
  lookup(host).then(
    () => true,
    () => false,
  );

/** `known`: hosts that something on this machine stands in for; `unserved`: host → why nothing does, though it was to. */
export interface Hosts {
  known: readonly string[];
  unserved: ReadonlyMap<string, string>;
}

/** Test id → why it cannot be judged here. */
export async function apartFrom(
  folder: string,
  tests: readonly ConformanceTest[],
  { known, unserved }: Hosts,
  canResolve: Resolve = resolves,
): Promise<Map<string, string>> {
  const apart = new Map<string, string>();
  for (const test of tests) {
    for (const host of hostsOf(folder, test)) {
      if (known.includes(host) || (await canResolve(host))) continue;
      const why = unserved.get(host) ?? `--stand-in ${host} serves it from here`;
      apart.set(test.id, `it fetches from ${host}, and this machine cannot resolve that name (${why})`);
    }
  }
  return apart;
}

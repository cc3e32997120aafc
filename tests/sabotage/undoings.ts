/**
 * The list of undoings (`undoings/*.yaml`): what is taken out of which file to undo a rule, and the tests that must fail for it.
 *
 * Invariant: a text that is to be taken out is found exactly once, and each named spec and test is there. `problems` says where that is not so;
 * the list has gone stale then.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Rule, keyOf, rulesOf } from './rules.js';

export const PROJECTS = ['unit', 'redis', 'docker', 'e2e'] as const;
export type Project = (typeof PROJECTS)[number];

const edit = z.strictObject({ file: z.string(), take: z.string().min(1), put: z.string().default('') });
const red = z.strictObject({ spec: z.string().endsWith('.spec.ts'), tests: z.array(z.string().min(1)).min(1) });
const undoing = z.strictObject({
  rule: z.string(),
  edits: z.array(edit).min(1),
  red: z.array(red).min(1),
  /** The test waits for what does not come then: its end by the limit is the proof. */
  hangs: z.boolean().default(false),
});
const page = z.strictObject({
  document: z.string(),
  section: z.string(),
  undoings: z.array(undoing),
  /** Rules that nothing of weft keeps, or that no test can show, and why. */
  without: z.array(z.strictObject({ rule: z.string(), why: z.string().min(20) })).default([]),
});

export type Edit = z.infer<typeof edit>;
/** Of each spec at least one of the tests must fail. */
export type Red = z.infer<typeof red>;
export type Page = z.infer<typeof page>;

export interface Undoing extends Rule {
  edits: readonly Edit[];
  red: readonly Red[];
  hangs: boolean;
}

const FOLDER = 'tests/sabotage/undoings';

export function readPages(root: string): Page[] {
  const names = readdirSync(join(root, FOLDER)).filter((name) => name.endsWith('.yaml'));
  return names.sort().map((name) => {
    const { data, error } = page.safeParse(parse(readFileSync(join(root, FOLDER, name), 'utf8')));
    if (data === undefined) throw new Error(`${FOLDER}/${name}: ${z.prettifyError(error)}`);
    return data;
  });
}

export function undoingsOf(pages: readonly Page[]): Undoing[] {
  return pages.flatMap(({ section, undoings }) => undoings.map((one) => ({ section, ...one })));
}

export function projectOf(spec: string): Project {
  return PROJECTS.find((name) => spec.endsWith(`.${name}.spec.ts`)) ?? 'unit';
}

export function problemsOf(root: string, undoing: Undoing): string[] {
  const read = (file: string): string => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '');
  const stale = undoing.edits.flatMap(({ file, take, put }) => {
    const times = read(file).split(take).length - 1;
    if (take === put) return [`what is put into ${file} is what was there`];
    return times === 1 ? [] : [`found ${times} times in ${file}, not once: ${JSON.stringify(take)}`];
  });
  const missing = undoing.red.filter(({ spec }) => !existsSync(join(root, spec))).map(({ spec }) => `there is no ${spec}`);
  return [...stale, ...missing].map((problem) => `${keyOf(undoing)}: ${problem}`);
}

/** Rules of the documents that have no entry, and entries of rules that are in no document. */
export function unmatched(root: string, pages: readonly Page[]): string[] {
  const problems: string[] = [];
  for (const document of new Set(pages.map((one) => one.document))) {
    const stated = new Set(rulesOf(readFileSync(join(root, document), 'utf8')).map(keyOf));
    const listed = pages
      .filter((one) => one.document === document)
      .flatMap(({ section, undoings, without }) => [...undoings, ...without].map(({ rule }) => keyOf({ section, rule })));
    for (const key of stated) if (!listed.includes(key)) problems.push(`${document} has a rule that nothing undoes: ${key}`);
    for (const key of listed) if (!stated.has(key)) problems.push(`${document} has no such rule: ${key}`);
  }
  return problems;
}

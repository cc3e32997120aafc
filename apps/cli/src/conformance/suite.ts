/** The index of a conformance suite (conformance_tests.json) and which of its tests are wanted. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { CwlObject } from '@weft/plan';
import { CommandError } from '../errors.js';

const testSchema = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  doc: z.string().default(''),
  tags: z.array(z.string()).default([]),
  tool: z.string(),
  job: z
    .string()
    .nullish()
    .transform((job) => job ?? undefined),
  output: z.custom<CwlObject | null>((value) => typeof value === 'object').optional(),
  should_fail: z.boolean().default(false),
});

export type ConformanceTest = Omit<z.output<typeof testSchema>, 'job'> & { job?: string };

export interface Selection {
  tags: string[];
  exclude: string[];
  ids: string[];
}

export function readSuite(folder: string): ConformanceTest[] {
  const path = join(folder, 'conformance_tests.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`${path} cannot be read (${(error as Error).message}); it is the index of the suite, with imports resolved`);
  }
  return z
    .array(testSchema)
    .parse(JSON.parse(text))
    .map((test) => ({ ...test, output: withImport(folder, test) }));
}

/** An expected output may be kept in a file of its own, named relative to the tool. */
function withImport(folder: string, { tool, output }: ConformanceTest): CwlObject | null | undefined {
  const name = output?.['$import'];
  return typeof name === 'string' ? (JSON.parse(readFileSync(join(folder, dirname(tool), name), 'utf8')) as CwlObject) : output;
}

/** Throws where an id or tag names nothing: a typing mistake must not look like a suite that passes. */
export function select(tests: ConformanceTest[], { tags, exclude, ids }: Selection): ConformanceTest[] {
  const knownIds = new Set(tests.map(({ id }) => id));
  const knownTags = new Set(tests.flatMap((test) => test.tags));
  const unknown = [...ids.filter((id) => !knownIds.has(id)), ...[...tags, ...exclude].filter((tag) => !knownTags.has(tag))];
  if (unknown.length > 0) throw new CommandError(`the suite has no test or tag called ${unknown.join(', ')}`);
  return tests.filter(
    (test) =>
      (ids.length === 0 || ids.includes(test.id)) &&
      (tags.length === 0 || test.tags.some((tag) => tags.includes(tag))) &&
      !test.tags.some((tag) => exclude.includes(tag)),
  );
}

/** The tests of a conformance suite, and which of them are wanted. */
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { CwlObject } from '@weft/plan';
import { CommandError } from '../errors.js';
import { findIndex, readData, readIndex } from './suite-index.js';

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

export interface Suite {
  /** What the names of tools and jobs are relative to. */
  folder: string;
  tests: ConformanceTest[];
}

/** @param path a suite's folder, or its index. @throws CommandError */
export function readSuite(path: string): Suite {
  const index = findIndex(path);
  const folder = dirname(index);
  const tests = readIndex(index).map(({ test: written, below }, n) => {
    const parsed = testSchema.safeParse(written);
    if (!parsed.success) throw new CommandError(`${index}: test ${n + 1} is none: ${z.prettifyError(parsed.error)}`);
    const { job, ...test } = parsed.data;
    const tool = join(below, test.tool);
    return { ...test, tool, job: job && join(below, job), output: withImport(folder, { tool, output: test.output }) };
  });
  return { folder, tests };
}

/** An expected output may be kept in a file of its own, named relative to the tool. */
function withImport(folder: string, { tool, output }: Pick<ConformanceTest, 'tool' | 'output'>): CwlObject | null | undefined {
  const name = output?.['$import'];
  return typeof name === 'string' ? (readData(join(folder, dirname(tool), name)) as CwlObject) : output;
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

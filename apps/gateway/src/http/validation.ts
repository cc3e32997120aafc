/**
 * Request data → typed values, by zod; what does not fit becomes one INVALID_ARGUMENT that names the field.
 */
import { Injectable, type PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { ServiceError } from '@weft/platform';
import { JsonPart, tooManyValues } from './body/json-part.js';
import { nearest } from './nearest.js';

/** At most this many mistakes are named in one message. */
const MAX_PROBLEMS = 5;
/** Characters of a name in a message. */
const MAX_NAME = 200;

@Injectable()
export class ZodPipe<T> implements PipeTransform<unknown, T> {
  constructor(
    private readonly schema: z.ZodType<T>,
    private readonly where: 'body' | 'query' | 'bundle',
  ) {}

  transform(value: unknown): T {
    return parseRequest(this.schema, value, this.where);
  }
}

/** @throws ServiceError INVALID_ARGUMENT */
export function parseRequest<T>(schema: z.ZodType<T>, value: unknown, where: 'body' | 'query' | 'bundle'): T {
  const result = schema.safeParse(value ?? undefined, { reportInput: false });
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) =>
    isTooLarge(issue, value) ? tooManyValues(shortName(issue.path[0] ?? '')) : describe(issue, schema, where),
  );
  const shown = problems.slice(0, MAX_PROBLEMS).join('; ');
  throw new ServiceError(
    'INVALID_ARGUMENT',
    problems.length > MAX_PROBLEMS ? `${shown}; and ${problems.length - MAX_PROBLEMS} more` : shown,
  );
}

/** A field that was left as text (json-part.ts), although its schema wants values. */
function isTooLarge({ path, code }: z.core.$ZodIssue, value: unknown): boolean {
  const field = path.length === 1 ? (value as Record<PropertyKey, unknown> | undefined)?.[path[0] ?? ''] : undefined;
  // Those that take one say themselves what they wanted.
  return field instanceof JsonPart && code !== 'custom' && code !== 'invalid_union';
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType, where: string): string[] {
  const path = issue.path.map(shortName).join('.');
  if (issue.code !== 'unrecognized_keys') return [`${path === '' ? `the ${where}` : `'${path}'`}: ${lowerFirst(issue.message)}`];
  const known = fieldsAt(schema, issue.path);
  return issue.keys.map((key, index) => {
    const name = shortName(path === '' ? key : `${path}.${key}`);
    if (index >= MAX_PROBLEMS) return name;
    const close = nearest(key, known);
    const advice = close === undefined ? `known are ${known.join(', ') || 'none'}` : `did you mean '${close}'?`;
    return `unknown field '${name}' in the ${where}; ${advice}`;
  });
}

interface SchemaNode {
  def: { type: string; innerType?: SchemaNode; shape?: Record<string, SchemaNode> };
}

function fieldsAt(schema: z.ZodType, path: PropertyKey[]): string[] {
  let node: SchemaNode | undefined = unwrapped(schema as unknown as SchemaNode);
  for (const key of path) node = unwrapped(node?.def.shape?.[String(key)]);
  return Object.keys(node?.def.shape ?? {});
}

function unwrapped(node: SchemaNode | undefined): SchemaNode | undefined {
  return node?.def.innerType ? unwrapped(node.def.innerType) : node;
}

/** What a client wrote is quoted as far as people read it. */
function shortName(name: PropertyKey): string {
  const text = String(name);
  return text.length > MAX_NAME ? `${text.slice(0, MAX_NAME)}…` : text;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

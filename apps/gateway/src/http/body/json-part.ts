/**
 * A part of a body that is too large to be made into values on the thread that serves everybody: its text, as the client wrote it, checked to be
 * JSON that loses nothing. Whoever asks for it by its schema (`objectOrPart`) passes it on as text.
 */
import { writeJson } from '@weft/plan';
import { ServiceError } from '@weft/platform';
import { z } from 'zod';
import { SMALL_VALUES } from './parts.js';

export class JsonPart {
  constructor(
    readonly text: string,
    readonly kind: 'object' | 'array',
    /** Of an object, the first of its keys. */
    readonly keys: readonly string[],
  ) {}
}

export type JsonObjectOrPart = Record<string, unknown> | JsonPart;

/** An object of any size; nothing of it is looked at. */
export const objectOrPart = z
  .custom<JsonObjectOrPart>((value) => (value instanceof JsonPart ? value.kind === 'object' : isObject(value)), {
    error: 'expected an object',
  })
  .meta({ type: 'object', additionalProperties: {} });

export function jsonTextOf(value: JsonObjectOrPart, space?: number): string {
  return value instanceof JsonPart ? value.text : writeJson(value, space);
}

/** The value of what nobody needs large. @throws ServiceError INVALID_ARGUMENT */
export function smallObject(value: JsonObjectOrPart, field: string): Record<string, unknown> {
  if (value instanceof JsonPart) throw new ServiceError('INVALID_ARGUMENT', tooManyValues(field));
  return value;
}

export function tooManyValues(field: string): string {
  return `'${field}' has more than ${SMALL_VALUES} values`;
}

export function hasKey(value: JsonObjectOrPart, key: string): boolean {
  return value instanceof JsonPart ? value.keys.includes(key) : Object.hasOwn(value, key);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

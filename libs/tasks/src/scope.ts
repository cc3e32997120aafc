/**
 * What one tool's expressions are evaluated against, and the rules that hold for every field that may carry one.
 *
 * Invariants:
 *  1. Strings without an expression cost nothing: they never reach the evaluator.
 *  2. A value of the wrong type is a TaskError that names the field.
 *  3. Files and Directories that an expression gave are in order (libs/plan, entries.ts) before anybody sees them.
 */
import type { ExpressionEvaluator, ExpressionOptions } from '@weft/expressions';
import { needsEvaluation } from '@weft/expressions';
import type { CwlObject, CwlValue, EffectiveRequirements } from '@weft/plan';
import { detachChangedListings, find, settleEntries, writeJson } from '@weft/plan';
import { TaskError } from './api.js';

export interface Scope {
  evaluator: ExpressionEvaluator;
  options: ExpressionOptions;
  inputs: CwlObject;
  runtime: CwlObject;
}

/** JavaScript and its library as the effective requirements allow. */
export function expressionOptions(effective: EffectiveRequirements, declaredVersion: string): ExpressionOptions {
  const javascript = find(effective, 'InlineJavascriptRequirement');
  return { javascript: javascript !== undefined, expressionLib: javascript?.value.expressionLib ?? [], declaredVersion };
}

/** The value of a field; anything but a string with an expression in it is its own value. */
export async function evaluate(scope: Scope, field: CwlValue | undefined, self: CwlValue = null): Promise<CwlValue> {
  if (field === undefined) return null;
  if (!needsEvaluation(field)) return field;
  const value = await scope.evaluator.evaluate(field, { inputs: scope.inputs, self, runtime: scope.runtime }, scope.options);
  return settled(value, field, scope.inputs, self);
}

/** Files and Directories that an expression gave: names, members and listings are as everywhere; a changed listing gives up its location. */
function settled(value: CwlValue, field: CwlValue, inputs: CwlObject, self: CwlValue): CwlValue {
  if (typeof value !== 'object' || value === null) return value;
  const problem = settleEntries(value, { locations: false });
  if (problem !== undefined)
    throw new TaskError(
      'EXPRESSION',
      `${brief(field)} gave what cannot be used: ${problem}`,
      typeof field === 'string' ? field : undefined,
    );
  detachChangedListings(value, [inputs, self]);
  return value;
}

export async function evaluateString(scope: Scope, field: string, name: string, self: CwlValue = null): Promise<string> {
  const value = await evaluate(scope, field, self);
  if (typeof value !== 'string') throw new TaskError('EXPRESSION', `${name} must be a string; ${field} gave ${brief(value)}`, field);
  return value;
}

export async function evaluateBoolean(scope: Scope, field: boolean | string, name: string, self: CwlValue = null): Promise<boolean> {
  const value = await evaluate(scope, field, self);
  if (typeof value !== 'boolean')
    throw new TaskError('EXPRESSION', `${name} must be true or false; ${String(field)} gave ${brief(value)}`, String(field));
  return value;
}

export async function evaluateNumber(scope: Scope, field: number | string, name: string, self: CwlValue = null): Promise<number> {
  const value = await evaluate(scope, field, self);
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new TaskError('EXPRESSION', `${name} must be a number; ${String(field)} gave ${brief(value)}`, String(field));
  }
  return value;
}

/** Characters of a value in a message. */
const BRIEF = 120;

/** A value in a message: its JSON, cut to a readable length. What is cut off is not written first. */
export function brief(value: unknown): string {
  const text = value === undefined ? 'undefined' : beginningOf(value, BRIEF + 1);
  return text.length > BRIEF ? `${text.slice(0, BRIEF - 3)}…` : text;
}

/** The JSON of plain data; of that, where it is longer, at least so many characters. */
function beginningOf(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room));
  if (typeof value !== 'object' || value === null) return writeJson(value);
  return Array.isArray(value) ? beginningOfList(value, room) : beginningOfObject(value as Record<string, unknown>, room);
}

function beginningOfList(list: unknown[], room: number): string {
  let text = '[';
  for (let at = 0; at < list.length; at += 1) {
    if (text.length >= room) return text;
    if (at > 0) text += ',';
    text += beginningOf(list[at] ?? null, Math.max(1, room - text.length));
  }
  return `${text}]`;
}

function beginningOfObject(object: Record<string, unknown>, room: number): string {
  let text = '{';
  // Entries would be made for all that is cut off, too.
  for (const key in object) {
    if (text.length >= room) return text;
    const member = object[key];
    if (member === undefined || !Object.hasOwn(object, key)) continue;
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(key.slice(0, room))}:`;
    text += beginningOf(member, Math.max(1, room - text.length));
  }
  return `${text}}`;
}

/** Every text with an expression in it that a document part holds, joined: what its expressions could possibly look at. */
export function expressionTexts(part: unknown): string {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === 'string') {
      if (needsEvaluation(value)) found.push(value);
    } else if (Array.isArray(value)) {
      value.forEach(visit);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) if (key !== 'doc' && key !== 'label') visit(member);
    }
  };
  visit(part);
  return found.join('\n');
}

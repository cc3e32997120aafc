/**
 * The vocabulary in which the tables of this folder say what a document may contain: field name → shape, per kind of object.
 */
import type { MapNode, Node } from '../source/node.js';
import type { Version } from '../source/version.js';
import type { CheckContext } from './context.js';

export type Shape =
  | { kind: 'any' }
  | { kind: 'scalar'; says: string; accepts: (value: null | boolean | number | string, version: Version) => boolean }
  | { kind: 'choice'; of: readonly string[] }
  | { kind: 'list'; of: Shape; orOne: boolean }
  | { kind: 'record'; record: RecordShape }
  | { kind: 'idMap'; subject: string; predicate?: string; of: RecordShape }
  | { kind: 'union'; of: readonly Shape[] }
  | { kind: 'custom'; says: string; check: (node: Node, context: CheckContext, what: string) => void };

export interface FieldShape {
  shape: Shape;
  required?: boolean;
  /** First version that has the field. */
  since?: Version;
}

export interface RecordShape {
  /** With its article: "a step". Used in messages. */
  says: string;
  fields: Readonly<Record<string, FieldShape>>;
  /** Unknown fields that `also` speaks about. */
  leaves?: (node: MapNode) => string | undefined;
  /** What cannot be said field by field. Called after the fields were checked. */
  also?: (node: MapNode, context: CheckContext) => void;
}

export const any: Shape = { kind: 'any' };
export const string: Shape = { kind: 'scalar', says: 'a string', accepts: (v) => typeof v === 'string' };
export const boolean: Shape = { kind: 'scalar', says: 'true or false', accepts: (v) => typeof v === 'boolean' };
export const integer: Shape = { kind: 'scalar', says: 'a whole number', accepts: (v) => typeof v === 'number' && Number.isInteger(v) };

const isExpressionText = (v: unknown): boolean => typeof v === 'string' && (v.includes('$(') || v.includes('${'));

export const expression: Shape = { kind: 'scalar', says: 'an expression: $(…) or ${…}', accepts: isExpressionText };
export const booleanOrExpression: Shape = {
  kind: 'scalar',
  says: 'true, false or an expression',
  accepts: (v) => typeof v === 'boolean' || isExpressionText(v),
};
export const position: Shape = {
  kind: 'scalar',
  says: 'a whole number or, since CWL v1.1, an expression',
  accepts: (v, version) => (typeof v === 'number' ? Number.isInteger(v) : version !== 'v1.0' && isExpressionText(v)),
};
/** Constants were taken in v1.0, and are again in v1.3. */
export const outputEval: Shape = {
  kind: 'scalar',
  says: 'an expression, $(…) or ${…} (in CWL v1.0 and v1.3 also a text without one)',
  accepts: (v, version) => typeof v === 'string' && (isExpressionText(v) || version === 'v1.0' || version === 'v1.3'),
};
/** Resource amounts: whole before v1.2, fractions since. */
export const amount: Shape = {
  kind: 'scalar',
  says: 'a number (a whole number before CWL v1.2) or an expression',
  accepts: (v, version) =>
    typeof v === 'number' ? v >= 0 && (Number.isInteger(v) || version === 'v1.2' || version === 'v1.3') : isExpressionText(v),
};
export const seconds: Shape = {
  kind: 'scalar',
  says: 'a number of seconds, 0 or more, or an expression',
  accepts: (v) => (typeof v === 'number' ? v >= 0 : isExpressionText(v)),
};

export const choice = (...of: string[]): Shape => ({ kind: 'choice', of });
export const list = (of: Shape): Shape => ({ kind: 'list', of, orOne: false });
export const oneOrMany = (of: Shape): Shape => ({ kind: 'list', of, orOne: true });
export const record = (shape: RecordShape): Shape => ({ kind: 'record', record: shape });
export const idMap = (of: RecordShape, subject = 'id', predicate?: string): Shape => ({ kind: 'idMap', subject, predicate, of });
export const union = (...of: Shape[]): Shape => ({ kind: 'union', of });

export const optional = (shape: Shape, since?: Version): FieldShape => ({ shape, since });
export const required = (shape: Shape): FieldShape => ({ shape, required: true });

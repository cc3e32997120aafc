/** What a process wants, as rows for `--help`. */
import { type CwlType, type Process, writeJson } from '@weft/plan';
import { acceptsNull, typeName } from '../link/assignable.js';

export interface InputDescription {
  name: string;
  /** As an author would write it. */
  type: string;
  required: boolean;
  /** JSON text. */
  default?: string;
  doc?: string;
}

export function typeToString(type: CwlType): string {
  return typeName(type);
}

export function describeInputs(process: Process): InputDescription[] {
  return process.inputs.map((input) => {
    const doc = input.doc ?? input.label;
    const hasDefault = input.default !== undefined && input.default !== null;
    return {
      name: input.name,
      type: typeToString(input.type),
      required: !hasDefault && !acceptsNull(input.type),
      ...(hasDefault && { default: writeJson(input.default) }),
      ...(doc !== undefined && { doc: doc.trim() }),
    };
  });
}

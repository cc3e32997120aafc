/**
 * What the CWL front end offers. Loading never throws for a mistake of the author: it answers with diagnostics.
 */
import type { CwlObject, Plan } from '@weft/plan';

export interface Diagnostic {
  severity: 'error' | 'warning' | 'note';
  /** Stable, kebab-case: "unknown-field", "missing-input", "unsupported-requirement", …; the full list is in the lib's README. */
  code: string;
  message: string;
  /** URI or path as the author would recognise it. */
  file: string;
  /** One-based; 0 where the place is unknown. */
  line: number;
  column: number;
  endLine?: number;
  endColumn?: number;
  hint?: string;
}

/** Reads the text behind an absolute URI. Rejects with an Error whose message says what could not be read and why. */
export interface Fetcher {
  fetch(uri: string): Promise<string>;
}

export interface LoadResult {
  /** Absent where a diagnostic of severity "error" was found. */
  plan?: Plan;
  /** SHA-256 of the plan's canonical JSON, lower-case hex. */
  hash?: string;
  /** `$namespaces` of the root document; a job written for it may use its prefixes (BindArguments.namespaces). Absent where there are none. */
  namespaces?: Readonly<Record<string, string>>;
  /** Inputs of the whole document that the part of it which was asked for does not have. */
  leftOut?: readonly string[];
  diagnostics: Diagnostic[];
  /** True where every error is `unsupported-…`: the caller exits 33 or answers UNIMPLEMENTED. */
  unsupported: boolean;
}

export interface InputsResult {
  /** The input object with defaults applied, types checked, File and Directory normalised (absolute `location`, `basename`). */
  inputs?: CwlObject;
  /** `cwl:requirements` of the job file, normalised like a document's. */
  requirements?: import('@weft/plan').Requirement[];
  diagnostics: Diagnostic[];
}

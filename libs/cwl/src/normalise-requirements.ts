/** Requirements that were written outside a document, as `cwl:requirements` of a job file, brought to the plan's form. */
import type { Requirement } from '@weft/plan';
import type { Diagnostic } from './api.js';
import { checkShape } from './check/validate.js';
import { requirementList } from './check/requirement-shapes.js';
import { requirementsOf } from './build/requirements.js';
import { Reporter } from './diagnostics.js';
import { fromJson, type Node, type SourceFile } from './source/node.js';
import type { Version } from './source/version.js';

export interface NormaliseOptions {
  /** Address of the file they are written in; relative locations and messages refer to it. */
  uri: string;
  /** Default: v1.3, the plan's own. */
  version?: Version;
  namespaces?: Readonly<Record<string, string>>;
}

/** `raw`: plain JSON in map or list form; diagnostics then know the file but no line. */
export function normaliseRequirements(raw: unknown, options: NormaliseOptions): { requirements: Requirement[]; diagnostics: Diagnostic[] } {
  const file: SourceFile = { uri: options.uri, text: '', namespaces: options.namespaces ?? {} };
  return normaliseRequirementNode(fromJson(raw, { file, start: -1, end: -1 }), options.version);
}

/** The same for a parsed node, whose diagnostics know their lines. */
export function normaliseRequirementNode(
  node: Node,
  version: Version = 'v1.3',
): { requirements: Requirement[]; diagnostics: Diagnostic[] } {
  const reporter = new Reporter();
  checkShape(node, requirementList('requirements'), { reporter, version }, "'requirements'");
  return { requirements: requirementsOf(node), diagnostics: reporter.diagnostics() };
}

/**
 * Where the secondary files of a primary file are expected.
 * Source: CWL v1.2 CommandLineTool "secondaryFiles": a suffix, carets strip extensions first; or an expression on the primary file.
 */
import {
  canonicalUri,
  isFileOrDirectory,
  isObject,
  nameInUri,
  nameProblem,
  type CwlObject,
  type CwlValue,
  type FileValue,
  type SecondaryFile,
  writeJson,
  type Entry,
} from '@weft/plan';
import { isExpression } from '../source/uri.js';
import { normaliseFile, pathToUri } from './file-values.js';
import { fromJson } from '../source/node.js';
import { Problems } from './problems.js';

/** The part of an evaluator that is needed here; `ExpressionEvaluator` of libs/expressions fits once its options are bound. */
export interface FileExpressionEvaluator {
  /** Rejects with an Error whose message says what is wrong. */
  evaluate(expression: string, context: { inputs: CwlObject; self: CwlValue; runtime: CwlObject }): Promise<CwlValue>;
}

export interface Expected {
  /** Where to look (nowhere beside a literal); or the file itself where an expression made it. */
  candidate: { uri: string | undefined; basename: string } | Entry;
  required: boolean;
}

/** `^^.bai` on `x.tar.gz` is `x.bai`. A caret too many changes nothing. */
export function applySuffix(basename: string, pattern: string): string {
  let stem = basename;
  let carets = 0;
  for (; pattern[carets] === '^'; carets += 1) {
    const dot = stem.lastIndexOf('.');
    if (dot > 0) stem = stem.slice(0, dot);
  }
  return stem + pattern.slice(carets);
}

/** The names that one pattern asks for. Rejects where an expression fails or gives something else than file names and Files. */
export async function expectedFiles(
  primary: FileValue,
  wanted: SecondaryFile,
  inputs: CwlObject,
  evaluator: FileExpressionEvaluator | undefined,
): Promise<Expected[]> {
  const self = withNameParts(primary);
  const evaluate = (expression: string): Promise<CwlValue> => {
    if (!evaluator) throw new Error(`'${expression}' cannot be evaluated here`);
    return evaluator.evaluate(expression, { inputs, self, runtime: {} });
  };
  const names = isExpression(wanted.pattern) ? await evaluate(wanted.pattern) : applySuffix(self.basename, wanted.pattern);
  const required = typeof wanted.required === 'string' ? await evaluate(wanted.required) : (wanted.required ?? true);
  if (typeof required !== 'boolean' && required !== null) throw new Error(`'required' of '${wanted.pattern}' must be true or false`);
  return (Array.isArray(names) ? names : [names])
    .filter((name) => name !== null && name !== '')
    .map((name) => ({ candidate: candidateOf(name, primary, wanted.pattern), required: required === true }));
}

function candidateOf(name: CwlValue, primary: FileValue, pattern: string): Expected['candidate'] {
  const directory = primary.location?.slice(0, primary.location.lastIndexOf('/') + 1);
  if (typeof name === 'string') return besideOf(name, directory, pattern);
  if (isObject(name) && isFileOrDirectory(name)) {
    const problems = new Problems();
    const node = fromJson(name, { file: { uri: '', text: '', namespaces: {} }, start: -1, end: -1 });
    const normal = node.kind === 'map' ? normaliseFile(node, directory ?? '', 'the file', problems) : undefined;
    if (normal) return normal;
  }
  throw new Error(`'${pattern}' must give file names or Files; it gave ${writeJson(name)}`);
}

function besideOf(name: string, directory: string | undefined, pattern: string): { uri: string | undefined; basename: string } {
  const basename = name.slice(name.lastIndexOf('/') + 1);
  const problem = nameProblem(basename);
  if (problem !== undefined) throw new Error(`'${pattern}' must give file names; ${writeJson(name)} ${problem}`);
  if (!directory) return { uri: undefined, basename };
  const canonical = canonicalUri(pathToUri(name, directory));
  if ('problem' in canonical) throw new Error(`'${pattern}' must give file names; ${writeJson(name)} ${canonical.problem}`);
  return { uri: canonical.uri, basename };
}

function withNameParts(file: FileValue): FileValue & { basename: string } {
  const basename = file.basename ?? nameInUri(file.location ?? '');
  const dot = basename.lastIndexOf('.');
  const [nameroot, nameext] = dot > 0 ? [basename.slice(0, dot), basename.slice(dot)] : [basename, ''];
  return { ...file, basename, nameroot, nameext };
}

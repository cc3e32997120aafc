/**
 * The index of a suite as its authors publish it, in YAML or JSON: a list of tests, of which some may be in files of their own (`$import`), whose
 * names are relative to those.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatDiagnostic, parseData } from '@weft/cwl';
import { CommandError } from '../errors.js';

/** As the suites of v1.1 and later, and that of v1.0, are called; JSON first, which has everything in it. */
const NAMES = [/^conformance_tests\.json$/, /^conformance_tests\.ya?ml$/, /^conformance_test_v[\d.]+\.ya?ml$/];
/** Imports in imports. */
const MAX_DEPTH = 10;

/** A test as it is written, with the folder that its names are relative to, as seen from the suite's. */
export interface WrittenTest {
  test: unknown;
  below: string;
}

/** @param path a suite's folder, or its index. @throws CommandError */
export function findIndex(path: string): string {
  const full = resolve(path);
  try {
    if (!statSync(full).isDirectory()) return full;
    const names = readdirSync(full);
    for (const wanted of NAMES) {
      const found = names.filter((name) => wanted.test(name));
      if (found.length > 1) throw new CommandError(`${path} has several indexes of a suite: name one, ${found.sort().join(' or ')}`);
      if (found[0] !== undefined) return join(full, found[0]);
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${path} cannot be read: ${(error as Error).message}`);
  }
  throw new CommandError(`${path} has no index of a suite: conformance_tests.json, conformance_tests.yaml or conformance_test_v1.0.yaml`);
}

/** @throws CommandError */
export function readIndex(index: string): WrittenTest[] {
  return testsOf(index, dirname(index), []);
}

function testsOf(file: string, folder: string, within: readonly string[]): WrittenTest[] {
  if (within.includes(file) || within.length > MAX_DEPTH)
    throw new CommandError(`${file} is imported by itself, or imports are nested more than ${MAX_DEPTH} deep`);
  const list = readData(file);
  if (!Array.isArray(list)) throw new CommandError(`${file} is no list of tests`);
  return list.flatMap((test: unknown) => {
    const imported = (test as { $import?: unknown } | null)?.$import;
    if (typeof imported !== 'string') return [{ test, below: relative(folder, dirname(file)) }];
    return testsOf(resolve(dirname(file), imported), folder, [...within, file]);
  });
}

/** Of YAML or JSON. @throws CommandError */
export function readData(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`);
  }
  const { value, diagnostics } = parseData(text, pathToFileURL(file).href);
  const [wrong] = diagnostics.filter(({ severity }) => severity === 'error');
  if (wrong !== undefined) throw new CommandError(formatDiagnostic(wrong, process.cwd()));
  return value;
}

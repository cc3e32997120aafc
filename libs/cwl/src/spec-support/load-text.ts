/** For specs: documents given as text, read through a bundle, and their diagnostics as printed lines. */
import type { Plan, Process } from '@weft/plan';
import { bundleFetcher, formatDiagnostic, loadDocument, type LoadResult } from '../index.js';

export const BASE = 'file:///work/';

/** Loads `main.cwl` (or `root`) out of files given by their names below BASE. */
export function loadFiles(files: Readonly<Record<string, string>>, root = 'main.cwl'): Promise<LoadResult> {
  return loadDocument(BASE + root, bundleFetcher(Object.fromEntries(Object.entries(files).map(([name, text]) => [BASE + name, text]))));
}

export function loadText(text: string): Promise<LoadResult> {
  return loadFiles({ 'main.cwl': text });
}

export async function messagesOf(files: string | Readonly<Record<string, string>>): Promise<string[]> {
  const result = await loadFiles(typeof files === 'string' ? { 'main.cwl': files } : files);
  return result.diagnostics.map((d) => `${d.code} | ${formatDiagnostic(d, '/work')}`);
}

/** The plan of a document that must load; a failure shows what was wrong. */
export async function planOf(files: string | Readonly<Record<string, string>>, root?: string): Promise<Plan> {
  const result = await loadFiles(typeof files === 'string' ? { 'main.cwl': files } : files, root);
  if (result.plan === undefined) throw new Error(result.diagnostics.map((d) => formatDiagnostic(d, '/work')).join('\n'));
  return result.plan;
}

export async function rootOf<C extends Process['class']>(text: string, className: C): Promise<Extract<Process, { class: C }>> {
  const plan = await planOf(text);
  const process = plan.processes[plan.root];
  if (process?.class !== className) throw new Error(`the root is a ${process?.class}`);
  return process as Extract<Process, { class: C }>;
}

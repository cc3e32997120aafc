/** `weft validate`: every mistake of every document, at its place; needs no stack. */
import { type Diagnostic, entryPointsOf, formatDiagnostic, loadDocument } from '@weft/cwl';
import { documentUri, localFetcher } from '../document/fetcher.js';
import { toLsp } from '../document/lsp-diagnostics.js';
import { EXIT_FAILURE, EXIT_UNSUPPORTED } from '../errors.js';

interface Checked {
  document: string;
  valid: boolean;
  unsupported: boolean;
  diagnostics: Diagnostic[];
}

export async function validateCommand(documents: string[], options: { json?: boolean }): Promise<void> {
  const results: Checked[] = [];
  for (const document of documents) {
    const checked = await check(document);
    results.push(checked);
    if (!options.json) report(checked);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(results.map(asData), null, 2)}\n`);
  process.exitCode = exitCodeFor(results);
}

/** Of a `$graph` without `main`, each process that no other one runs. */
async function check(document: string): Promise<Checked> {
  const uri = await documentUri(document);
  const names = await entryPointsOf(uri, localFetcher);
  const roots = names.length === 0 ? [uri] : names.map((name) => `${uri}#${name}`);
  const all: Checked = { document, valid: true, unsupported: false, diagnostics: [] };
  const told = new Set<string>();
  for (const root of roots) {
    const { plan, unsupported, diagnostics } = await loadDocument(root, localFetcher, { isPart: true });
    // Where one part has a mistake, the whole has.
    if (plan === undefined) all.unsupported = unsupported && (all.valid || all.unsupported);
    all.valid &&= plan !== undefined;
    for (const diagnostic of diagnostics) {
      const key = JSON.stringify(diagnostic);
      if (!told.has(key)) all.diagnostics.push(diagnostic);
      told.add(key);
    }
  }
  return all;
}

/** An invalid document weighs more than one that asks for what is not supported. */
export function exitCodeFor(results: readonly Pick<Checked, 'valid' | 'unsupported'>[]): number {
  const bad = results.filter(({ valid }) => !valid);
  if (bad.length === 0) return 0;
  return bad.every(({ unsupported }) => unsupported) ? EXIT_UNSUPPORTED : EXIT_FAILURE;
}

function asData({ document, valid, unsupported, diagnostics }: Checked): object {
  return { document, valid, unsupported, diagnostics: diagnostics.map(toLsp) };
}

function report({ document, valid, diagnostics }: Checked): void {
  for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic, process.cwd())}\n`);
  process.stdout.write(`${document}: ${valid ? 'valid' : 'invalid'}\n`);
}

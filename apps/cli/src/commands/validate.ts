/** `weft validate`: every mistake of every document, at its place; needs no stack. */
import { type Diagnostic, collectBundle, formatDiagnostic } from '@weft/cwl';
import { documentUri, localFetcher } from '../document/fetcher.js';
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
    const { result } = await collectBundle(await documentUri(document), localFetcher);
    const checked = { document, valid: result.plan !== undefined, unsupported: result.unsupported, diagnostics: result.diagnostics };
    results.push(checked);
    if (!options.json) report(checked);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  const bad = results.filter(({ valid }) => !valid);
  if (bad.length > 0) process.exitCode = bad.every(({ unsupported }) => unsupported) ? EXIT_UNSUPPORTED : EXIT_FAILURE;
}

function report({ document, valid, diagnostics }: Checked): void {
  for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic, process.cwd())}\n`);
  process.stdout.write(`${document}: ${valid ? 'valid' : 'invalid'}\n`);
}

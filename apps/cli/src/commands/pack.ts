/** `weft pack`: a document and all it reads as one. */
import { writeJson } from '@weft/plan';
import { writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatDiagnostic, packDocument, versionsIn } from '@weft/cwl';
import { localFetcher, lookedAtUri } from '../document/fetcher.js';
import { Refused } from '../document/prepare.js';

export async function packCommand(document: string, options: { output?: string }): Promise<void> {
  const fileReference = options.output === undefined ? undefined : relativeTo(options.output);
  const packed = await packDocument(await lookedAtUri(document), localFetcher, { fileReference });
  if (packed.document === undefined) throw new Refused(packed.diagnostics, packed.unsupported);
  for (const warning of packed.diagnostics) process.stderr.write(`${formatDiagnostic(warning, process.cwd())}\n`);
  const [version, ...others] = versionsIn(packed.document);
  if (others.length > 0)
    process.stderr.write(`weft: parts of it are ${others.join(' and ')}, the whole is ${version}: they keep their versions\n`);
  const text = `${writeJson(packed.document, 2)}\n`;
  if (options.output === undefined) process.stdout.write(text);
  else writeFileSync(options.output, text);
}

/** Files at or below the place of the packed document are named relative to it, so that both can move together; others by address. */
export function relativeTo(output: string): (location: string) => string {
  const base = `${pathToFileURL(dirname(resolve(output))).href}/`.replace(/\/\/$/, '/');
  return (location) => (location.startsWith(base) ? location.slice(base.length) : location);
}

/**
 * The template workflows: what they are, and their files as a bundle that a scheduler can load without this folder.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { run } from '@weft/contracts';
import { collectBundle, formatDiagnostic } from '@weft/cwl';
import { parse } from 'yaml';
import { z } from 'zod';
import type { CommandName } from '../session/session.machine.js';
import { type TemplateName, TEMPLATES } from '../session/session.types.js';

export const COMMANDS_OF: Record<TemplateName, CommandName[]> = {
  'query-selection': ['start_querying', 'continue_querying'],
  training: ['prompt_training'],
  evaluation: ['evaluate_model'],
  finalize: ['finalize_results'],
};

export interface TemplateInfo {
  name: TemplateName;
  title: string;
  description: string;
  commands: CommandName[];
}

const HeadSchema = z.looseObject({ label: z.string(), doc: z.string() });

export class TemplateCatalog {
  constructor(readonly directory: string) {}

  async list(): Promise<TemplateInfo[]> {
    return Promise.all(
      TEMPLATES.map(async (name) => {
        const head = HeadSchema.parse(parse(await readFile(this.path(name), 'utf8')));
        return { name, title: head.label, description: head.doc, commands: COMMANDS_OF[name] };
      }),
    );
  }

  /** The template with every file it runs or includes. Rejects where one is missing or the template is invalid. */
  async bundle(name: TemplateName): Promise<run.DocumentBundle> {
    const fetcher = { fetch: (uri: string) => readFile(fileURLToPath(uri), 'utf8') };
    const { bundle, result } = await collectBundle(pathToFileURL(this.path(name)).href, fetcher);
    const errors = result.diagnostics.filter((one) => one.severity === 'error').map((one) => formatDiagnostic(one));
    if (errors.length > 0) throw new Error(`template ${name} is invalid: ${errors.join('; ')}`);
    return bundle;
  }

  private path(name: TemplateName): string {
    return join(this.directory, `${name}.cwl`);
  }
}

/** The `templates` folder beside or above a module's file. */
export function findTemplates(moduleUrl: string): string {
  for (let directory = dirname(fileURLToPath(moduleUrl)); ; directory = dirname(directory)) {
    const candidate = join(directory, 'templates');
    if (existsSync(join(candidate, `${TEMPLATES[0]}.cwl`))) return candidate;
    if (dirname(directory) === directory) throw new Error(`no folder 'templates' with ${TEMPLATES[0]}.cwl above ${moduleUrl}`);
  }
}

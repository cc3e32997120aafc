/** `weft inputs`: a job file to be filled in. */
import { writeFileSync } from 'node:fs';
import { planToLookAt } from '../document/prepare.js';
import { jobTemplate } from '../inputs/template.js';

export async function inputsCommand(document: string, options: { output?: string }): Promise<void> {
  const plan = await planToLookAt(document);
  const root = plan.processes[plan.root];
  if (root === undefined) throw new Error(`the plan has no ${plan.root}`);
  const text = jobTemplate(root, document);
  if (options.output === undefined) process.stdout.write(text);
  else writeFileSync(options.output, text);
}

/** `weft run <document> --help`: what the document says of itself, and its inputs as options. */
import { describeInputs } from '@weft/cwl';
import type { Process } from '@weft/plan';
import { loadPlan } from '../document/prepare.js';

export async function documentHelp(document: string): Promise<string> {
  const { plan } = await loadPlan(document);
  const root = plan.processes[plan.root];
  if (root === undefined) throw new Error(`the plan has no ${plan.root}`);
  return describeProcess(document, root);
}

export function describeProcess(document: string, process: Process): string {
  const lines = [`Usage: weft run [options] ${document} [job] [--input value …]`, ''];
  for (const text of [process.label, process.doc]) if (text !== undefined) lines.push(text.trim(), '');
  const inputs = describeInputs(process);
  lines.push(inputs.length === 0 ? 'It has no inputs.' : 'Inputs:');
  const width = inputs.reduce((most, { name, type }) => Math.max(most, name.length + type.length + 3), 0);
  for (const { name, type, required, default: value, doc } of inputs) {
    const facts = [required ? 'required' : value === undefined ? '' : `default: ${value}`, doc?.replace(/\s+/g, ' ') ?? ''];
    lines.push(`  ${`--${name} ${type}`.padEnd(width)}  ${facts.filter((fact) => fact !== '').join('; ')}`.trimEnd());
  }
  lines.push('', 'Options of weft itself: weft run --help');
  return `${lines.join('\n')}\n`;
}

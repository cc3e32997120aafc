/**
 * A job file to be filled in: required inputs with a value of their type, optional ones commented out, with types, defaults and docs as
 * comments. Pure.
 *
 * Invariant: the template is a job that fits its document, as it stands and with any of its comments removed.
 */
import { type CwlType, type CwlValue, type InputParameter, type Process } from '@weft/plan';
import { describeInputs } from '@weft/cwl';
import { stringify } from 'yaml';

const WIDTH = 100;

/** `document`: how the reader calls it. */
export function jobTemplate(process: Process, document: string): string {
  const descriptions = new Map(describeInputs(process).map((description) => [description.name, description]));
  const head = [`# Inputs of ${document.replace(/\s+/g, ' ')}.`];
  if (process.inputs.length === 0) return `${head.join('\n')} It has none.\n{}\n`;
  head.push('# Lines that begin with #- are optional: remove these two characters to set them.');
  const entries = process.inputs.map((input) => {
    const { required = true } = descriptions.get(input.name) ?? {};
    return [...commentsOf(input, descriptions.get(input.name)), ...valueLines(input, required)].join('\n');
  });
  return `${[head.join('\n'), ...entries].join('\n\n')}\n`;
}

function commentsOf(input: InputParameter, description: ReturnType<typeof describeInputs>[number] | undefined): string[] {
  const texts = [input.label, input.doc].filter((text) => text !== undefined);
  const facts = [
    description?.type ?? '',
    ...(description?.default === undefined ? [] : [`default: ${description.default}`]),
    ...(input.format === undefined ? [] : [`format: ${[input.format].flat().join(' or ')}`]),
    ...(input.secondaryFiles === undefined ? [] : [`with: ${input.secondaryFiles.map(({ pattern }) => pattern).join(', ')}`]),
  ];
  return [...texts, facts.join('; ')].flatMap((text) => text.trim().split(/\r?\n/)).map((line) => `# ${line}`.trimEnd());
}

function valueLines(input: InputParameter, required: boolean): string[] {
  const value = input.default !== undefined && input.default !== null ? input.default : placeholder(input.type);
  const lines = stringify({ [input.name]: value }, { lineWidth: WIDTH })
    .trimEnd()
    .split('\n');
  return required ? lines : lines.map((line) => `#-${line}`);
}

/** A value of the type; of several types the first that says something. */
function placeholder(type: CwlType): CwlValue {
  if (Array.isArray(type)) return placeholder(type.find((member) => member !== 'null') ?? 'null');
  if (typeof type === 'object') {
    if (type.type === 'array') return [placeholder(type.items)];
    if (type.type === 'enum') return type.symbols[0] ?? null;
    return Object.fromEntries(type.fields.map((field) => [field.name, placeholder(field.type)]));
  }
  switch (type) {
    case 'null':
      return null;
    case 'boolean':
      return false;
    case 'int':
    case 'long':
      return 1;
    case 'float':
    case 'double':
      return 0.5;
    case 'File':
      return { class: 'File', path: 'path/to/file' };
    case 'Directory':
      return { class: 'Directory', path: 'path/to/directory' };
    case 'string':
    case 'Any':
      return 'text';
  }
}

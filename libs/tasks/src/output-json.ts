/**
 * `cwl.output.json`: a tool's own statement of its outputs; it replaces all output bindings.
 * Source: CWL v1.2 CommandLineTool §4.3 "Execution", "Output binding": the file "must be loaded and used as the output object". So fields that the tool
 * does not declare stay, up to v1.2. Those of v1.3 are dropped, as the reference implementation has it from that version on.
 */
import type { CwlObject, CwlValue } from '@weft/plan';
import { isObject, readForeignJson } from '@weft/plan';
import type { OutputCollector } from './api.js';
import { TaskError } from './api.js';
import { messageOf } from './file-values.js';

export const OUTPUT_JSON = 'cwl.output.json';

/** Bytes; a limit of ours, well below what one message may carry. */
const OUTPUT_JSON_LIMIT = 32 * 1024 * 1024;

/** @param names of the declared outputs; each is there afterwards */
export async function readOutputJson(names: string[], keepsOthers: boolean, size: number, collector: OutputCollector): Promise<CwlObject> {
  if (size > OUTPUT_JSON_LIMIT)
    throw new TaskError('OUTPUT_JSON', `${OUTPUT_JSON} has ${size} bytes; at most ${OUTPUT_JSON_LIMIT} are read`);
  const item = { path: OUTPUT_JSON, contents: true, contentsLimit: OUTPUT_JSON_LIMIT, checksum: false, publish: false };
  const [file] = await collector.collect([item], { publish: false, release: false });
  const stated = parse(file?.contents ?? '');
  const declared = names.map((name) => [name, (Object.hasOwn(stated, name) ? stated[name] : undefined) ?? null] as const);
  const known = new Set(names);
  const others = keepsOthers ? Object.entries(stated).filter(([name]) => !known.has(name)) : [];
  // Not by assignment: a tool may call a member `__proto__`.
  return Object.fromEntries([...declared, ...others]);
}

function parse(text: string): CwlObject {
  let value: CwlValue;
  try {
    value = readForeignJson(text) as CwlValue;
  } catch (error) {
    if ((error as { name?: unknown }).name === 'RangeError') throw new TaskError('OUTPUT_JSON', `${OUTPUT_JSON}: ${messageOf(error)}`);
    throw new TaskError('OUTPUT_JSON', `${OUTPUT_JSON} is not JSON: ${messageOf(error)}`);
  }
  if (!isObject(value)) throw new TaskError('OUTPUT_JSON', `${OUTPUT_JSON} must hold an object`);
  return value;
}

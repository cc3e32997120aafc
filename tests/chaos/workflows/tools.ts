/**
 * What the workflows of the mix are made of.
 *
 * Invariant: a tool may be executed more than once without anybody being able to tell from what it leaves.
 */
export interface Body {
  document: object;
  /** @param folder of this one submission, empty before it; on the host that runs the tools */
  inputs(variant: number, folder: string): Record<string, unknown>;
}

export const JS = { InlineJavascriptRequirement: {} };
export const image = (dockerPull: string): object => ({ DockerRequirement: { dockerPull } });
export const sh = (script: string): string[] => ['sh', '-c', script];
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
export const words = (count: number, variant: number): string[] => range(count).map((i) => `word-${variant}-${i}`);

/** Sleeps for `ms` and writes its word. */
export function say(requirements: object = {}): object {
  return {
    class: 'CommandLineTool',
    requirements,
    inputs: { word: 'string', ms: { type: 'int', default: 40 } },
    baseCommand: sh('sleep "$(printf "0.%03d" "$1")"; echo "$0"'),
    arguments: ['$(inputs.word)', '$(inputs.ms)'],
    stdout: 'word.txt',
    outputs: { said: 'stdout' },
  };
}

/** All files into one, in order. */
export function gather(requirements: object = {}): object {
  return {
    class: 'CommandLineTool',
    requirements,
    inputs: { parts: { type: 'File[]', inputBinding: {} } },
    baseCommand: 'cat',
    stdout: 'all.txt',
    outputs: { all: 'stdout' },
  };
}

/** Adds a line to a file. */
export const APPEND = {
  class: 'CommandLineTool',
  inputs: { text: 'File', line: 'string' },
  baseCommand: sh('cat "$0"; echo "$1"'),
  arguments: ['$(inputs.text.path)', '$(inputs.line)'],
  stdout: 'text.txt',
  outputs: { text: 'stdout' },
};

/**
 * Tools that fail: for good, for a while, until somebody mends what they need.
 *
 * Invariant: whether they fail depends on a file of their submission alone, which only they and the test write.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPEND, type Body, gather, range, say, sh, words } from './tools.js';

/** Leaves with a code. */
const LEAVE = {
  class: 'CommandLineTool',
  inputs: { code: 'int' },
  baseCommand: sh('sleep 0.05; echo leaving with "$0"; exit "$0"'),
  arguments: ['$(inputs.code)'],
  stdout: 'out.txt',
  outputs: { out: 'stdout' },
};

/** One of many tasks fails for good: the run fails with its code. */
export const failing: Body = {
  document: {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: { ScatterFeatureRequirement: {} },
    inputs: { codes: 'int[]' },
    outputs: { out: { type: 'File[]', outputSource: 'leave/out' } },
    steps: {
      leave: {
        scatter: 'code',
        in: { code: 'codes' },
        out: ['out'],
        run: LEAVE,
      },
    },
  },
  inputs: (variant) => ({ codes: range(5).map((i) => (i === 3 ? 40 + variant : 0)) }),
};

/** Fails twice with a code that may pass, then succeeds. */
export const flaky: Body = {
  document: {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    inputs: { counter: 'string', word: 'string' },
    outputs: { said: { type: 'File', outputSource: 'again/text' } },
    steps: {
      try: {
        in: { counter: 'counter', word: 'word' },
        out: ['said'],
        run: {
          class: 'CommandLineTool',
          temporaryFailCodes: [75],
          inputs: { counter: 'string', word: 'string' },
          baseCommand: sh('echo tried >> "$0"; [ "$(wc -l < "$0")" -ge 3 ] || exit 75; echo "$1"'),
          arguments: ['$(inputs.counter)', '$(inputs.word)'],
          stdout: 'said.txt',
          outputs: { said: 'stdout' },
        },
      },
      again: { run: APPEND, in: { text: 'try/said', line: { default: 'at last' } }, out: ['text'] },
    },
  },
  inputs: (variant, folder) => ({ counter: `${folder}/tries`, word: `word ${variant}` }),
};

/** A gate that is shut, behind tasks that succeed: fails until it is opened, then goes on from what succeeded. */
export const mending: Body = {
  document: {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: { ScatterFeatureRequirement: {} },
    inputs: { words: 'string[]', gate: 'string' },
    outputs: { texts: { type: 'File[]', outputSource: 'after/text' } },
    steps: {
      before: { run: say(), scatter: 'word', in: { word: 'words' }, out: ['said'] },
      all: { run: gather(), in: { parts: 'before/said' }, out: ['all'] },
      pass: {
        in: { gate: 'gate', all: 'all/all' },
        out: ['text'],
        run: {
          class: 'CommandLineTool',
          inputs: { gate: 'string', all: 'File' },
          baseCommand: sh('[ -e "$0" ] || exit 9; cat "$1"'),
          arguments: ['$(inputs.gate)', '$(inputs.all.path)'],
          stdout: 'passed.txt',
          outputs: { text: 'stdout' },
        },
      },
      after: { run: APPEND, scatter: 'line', in: { text: 'pass/text', line: 'words' }, out: ['text'] },
    },
  },
  inputs: (variant, folder) => ({ words: words(3 + variant, variant), gate: join(folder, 'gate') }),
};

export function openGate(folder: string): void {
  writeFileSync(join(folder, 'gate'), '');
}

/** With `failure_mode: continue` everything is done that does not need what failed. */
export const tolerant: Body = {
  document: {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: { ScatterFeatureRequirement: {} },
    inputs: { codes: 'int[]', words: 'string[]' },
    outputs: { out: { type: 'File[]', outputSource: 'leave/out' }, all: { type: 'File', outputSource: 'all/all' } },
    steps: {
      leave: { run: LEAVE, scatter: 'code', in: { code: 'codes' }, out: ['out'] },
      never: { run: gather(), in: { parts: 'leave/out' }, out: ['all'] },
      say: { run: say(), scatter: 'word', in: { word: 'words' }, out: ['said'] },
      all: { run: gather(), in: { parts: 'say/said' }, out: ['all'] },
    },
  },
  inputs: (variant) => ({ codes: [0, 50 + variant, 0], words: words(4, variant) }),
};

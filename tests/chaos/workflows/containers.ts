/** Tools in containers, and tools that take their time. */
import { APPEND, type Body, image, say, sh, words } from './tools.js';

/** A chain of containers of several images, then a scatter of them. */
export const docked: Body = {
  document: {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: { ScatterFeatureRequirement: {} },
    inputs: { word: 'string', lines: 'string[]' },
    outputs: { texts: { type: 'File[]', outputSource: 'third/text' } },
    steps: {
      first: { run: say(image('debian:stable-slim')), in: { word: 'word', ms: { default: 300 } }, out: ['said'] },
      second: { run: { ...APPEND, requirements: image('alpine:latest') }, in: { text: 'first/said', line: 'word' }, out: ['text'] },
      third: {
        run: { ...APPEND, requirements: image('debian:stable-slim') },
        scatter: 'line',
        in: { text: 'second/text', line: 'lines' },
        out: ['text'],
      },
    },
  },
  inputs: (variant) => ({ word: `docked ${variant}`, lines: words(3, variant) }),
};

/** Long enough to be there when something is killed. */
export function slow(requirements: object): Body {
  return {
    document: {
      cwlVersion: 'v1.2',
      class: 'CommandLineTool',
      requirements,
      inputs: { seconds: 'int', word: 'string' },
      baseCommand: sh('echo begun "$1"; sleep "$0"; echo ended "$1"'),
      arguments: ['$(inputs.seconds)', '$(inputs.word)'],
      stdout: 'slow.txt',
      outputs: { text: 'stdout' },
    },
    inputs: (variant) => ({ seconds: 1 + variant, word: `slow ${variant}` }),
  };
}

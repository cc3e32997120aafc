/** Scatter, nesting, loops, conditions, and every kind of output. */
import { APPEND, type Body, gather, JS, say, sh, words } from './tools.js';

export function wide(requirements: object, count: number, ms: number): Body {
  return {
    document: {
      cwlVersion: 'v1.2',
      class: 'Workflow',
      requirements: { ScatterFeatureRequirement: {} },
      inputs: { words: 'string[]', ms: 'int' },
      outputs: { all: { type: 'File', outputSource: 'gather/all' }, parts: { type: 'File[]', outputSource: 'say/said' } },
      steps: {
        say: { run: say(requirements), scatter: 'word', in: { word: 'words', ms: 'ms' }, out: ['said'] },
        gather: { run: gather(requirements), in: { parts: 'say/said' }, out: ['all'] },
      },
    },
    inputs: (variant) => ({ words: words(count, variant), ms }),
  };
}

export const nested: Body = {
  document: {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: { SubworkflowFeatureRequirement: {}, ScatterFeatureRequirement: {}, StepInputExpressionRequirement: {}, ...JS },
    inputs: { left: 'string[]', right: 'string[]' },
    outputs: {
      texts: { type: { type: 'array', items: { type: 'array', items: 'File' } }, outputSource: 'pairs/text' },
    },
    steps: {
      pairs: {
        scatter: ['left', 'right'],
        scatterMethod: 'nested_crossproduct',
        in: { left: 'left', right: 'right' },
        out: ['text'],
        run: {
          class: 'Workflow',
          inputs: { left: 'string', right: 'string' },
          outputs: { text: { type: 'File', outputSource: 'second/text' } },
          steps: {
            first: { run: say(), in: { word: 'left' }, out: ['said'] },
            second: { run: APPEND, in: { text: 'first/said', line: { source: 'right', valueFrom: '$("and " + self)' } }, out: ['text'] },
          },
        },
      },
    },
  },
  inputs: (variant) => ({ left: words(3, variant), right: words(2, variant + 10) }),
};

export const loop: Body = {
  document: {
    cwlVersion: 'v1.3.0-dev1',
    class: 'Workflow',
    requirements: { ...JS, StepInputExpressionRequirement: {} },
    inputs: { start: 'File', rounds: 'int' },
    outputs: { texts: { type: 'File[]', outputSource: 'grow/text' } },
    steps: {
      grow: {
        when: '$(inputs.round < inputs.rounds)',
        loop: { text: 'text', round: { valueFrom: '$(inputs.round + 1)' } },
        outputMethod: 'all_iterations',
        in: { text: 'start', round: { default: 0 }, rounds: 'rounds', line: { default: 'once more' } },
        out: ['text'],
        run: { ...APPEND, inputs: { ...APPEND.inputs, round: 'int', rounds: 'int' } },
      },
    },
  },
  inputs: (variant) => ({ start: { class: 'File', basename: 'start.txt', contents: `start ${variant}\n` }, rounds: 5 + variant }),
};

export const conditional: Body = {
  document: {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: { ...JS, MultipleInputFeatureRequirement: {}, ScatterFeatureRequirement: {} },
    inputs: { n: 'int', words: 'string[]' },
    outputs: {
      one: { type: 'File', outputSource: ['small/said', 'large/said'], pickValue: 'first_non_null' },
      some: { type: 'File[]', outputSource: 'odd/said', pickValue: 'all_non_null' },
      none: { type: 'File?', outputSource: 'never/said' },
    },
    steps: {
      small: { run: say(), when: '$(inputs.n < 1)', in: { n: 'n', word: { default: 'small' } }, out: ['said'] },
      large: { run: say(), when: '$(inputs.n >= 1)', in: { n: 'n', word: { default: 'large' } }, out: ['said'] },
      never: { run: say(), when: '$(inputs.n > 99)', in: { n: 'n', word: { default: 'never' } }, out: ['said'] },
      odd: {
        run: say(),
        scatter: 'word',
        when: '$(Number(inputs.word.slice(-1)) % 2 === 1)',
        in: { word: 'words' },
        out: ['said'],
      },
    },
  },
  inputs: (variant) => ({ n: variant, words: words(6, variant) }),
};

/** Every kind of output: secondary files, directories, literals, contents, a record of files. */
export const files: Body = {
  document: {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: JS,
    inputs: { word: 'string' },
    outputs: {
      copy: { type: 'File', outputSource: 'copy/copy' },
      tree: { type: 'Directory', outputSource: 'make/tree' },
      length: { type: 'int', outputSource: 'measure/length' },
    },
    steps: {
      make: {
        in: { word: 'word' },
        out: ['reads', 'tree'],
        run: {
          class: 'CommandLineTool',
          requirements: { InitialWorkDirRequirement: { listing: [{ entryname: 'seed.txt', entry: '$(inputs.word)\n' }] } },
          inputs: { word: 'string' },
          baseCommand: sh(
            'mkdir -p tree/leaf; for i in 1 2 3; do cat seed.txt > tree/leaf/$i; done; cp seed.txt reads.bam; echo index > reads.bam.bai',
          ),
          outputs: {
            reads: { type: 'File', secondaryFiles: ['.bai'], outputBinding: { glob: 'reads.bam' } },
            tree: { type: 'Directory', outputBinding: { glob: 'tree' } },
          },
        },
      },
      copy: {
        in: { reads: 'make/reads' },
        out: ['copy'],
        run: {
          class: 'CommandLineTool',
          inputs: { reads: { type: 'File', secondaryFiles: ['.bai'] } },
          baseCommand: sh('cp "$0" copy.bam; cp "$0.bai" copy.bam.bai'),
          arguments: ['$(inputs.reads.path)'],
          outputs: { copy: { type: 'File', secondaryFiles: ['.bai'], outputBinding: { glob: 'copy.bam' } } },
        },
      },
      measure: {
        in: { reads: 'make/reads' },
        out: ['length'],
        run: {
          class: 'ExpressionTool',
          inputs: { reads: { type: 'File', loadContents: true } },
          outputs: { length: 'int' },
          expression: '$({"length": inputs.reads.contents.length})',
        },
      },
    },
  },
  inputs: (variant) => ({ word: `seed-${'x'.repeat(variant)}` }),
};

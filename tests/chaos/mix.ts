/**
 * The workflows that run while the system is disturbed: quick tasks, and outputs that depend on the inputs alone.
 *
 * Invariant: a tool may be executed more than once without anybody being able to tell from what it leaves; `flaky` alone looks at
 * how often it was executed, and gives the same output however often that is.
 */
export const VARIANTS = 3;

export interface Item {
  /** How often it is submitted, compared with the others. */
  weight: number;
  needsDocker: boolean;
  document: object;
  /** @param folder of this one submission, empty before it; on the host that runs the tools */
  inputs(variant: number, folder: string): Record<string, unknown>;
}

const JS = { InlineJavascriptRequirement: {} };
const image = (dockerPull: string): object => ({ DockerRequirement: { dockerPull } });
const sh = (script: string): string[] => ['sh', '-c', script];
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const words = (count: number, variant: number): string[] => range(count).map((i) => `word-${variant}-${i}`);

/** Sleeps for `ms` and writes its word. */
function say(requirements: object = {}): object {
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
function gather(requirements: object = {}): object {
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
const APPEND = {
  class: 'CommandLineTool',
  inputs: { text: 'File', line: 'string' },
  baseCommand: sh('cat "$0"; echo "$1"'),
  arguments: ['$(inputs.text.path)', '$(inputs.line)'],
  stdout: 'text.txt',
  outputs: { text: 'stdout' },
};

function wide(requirements: object, count: number, ms: number): Pick<Item, 'document' | 'inputs'> {
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

const nested: Pick<Item, 'document' | 'inputs'> = {
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

const loop: Pick<Item, 'document' | 'inputs'> = {
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

const conditional: Pick<Item, 'document' | 'inputs'> = {
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
const files: Pick<Item, 'document' | 'inputs'> = {
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

/** One of many tasks fails for good: the run fails with its code. */
const failing: Pick<Item, 'document' | 'inputs'> = {
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
        run: {
          class: 'CommandLineTool',
          inputs: { code: 'int' },
          baseCommand: sh('sleep 0.05; echo leaving with "$0"; exit "$0"'),
          arguments: ['$(inputs.code)'],
          stdout: 'out.txt',
          outputs: { out: 'stdout' },
        },
      },
    },
  },
  inputs: (variant) => ({ codes: range(5).map((i) => (i === 3 ? 40 + variant : 0)) }),
};

/** Fails twice with a code that may pass, then succeeds. */
const flaky: Pick<Item, 'document' | 'inputs'> = {
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

/** A chain of containers of several images, then a scatter of them. */
const docked: Pick<Item, 'document' | 'inputs'> = {
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
function slow(requirements: object): Pick<Item, 'document' | 'inputs'> {
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

export const MIX: Readonly<Record<string, Item>> = {
  wide: { weight: 3, needsDocker: false, ...wide({}, 20, 40) },
  nested: { weight: 2, needsDocker: false, ...nested },
  loop: { weight: 2, needsDocker: false, ...loop },
  conditional: { weight: 2, needsDocker: false, ...conditional },
  files: { weight: 2, needsDocker: false, ...files },
  failing: { weight: 1, needsDocker: false, ...failing },
  flaky: { weight: 2, needsDocker: false, ...flaky },
  slow: { weight: 1, needsDocker: false, ...slow({}) },
  docked: { weight: 2, needsDocker: true, ...docked },
  'docked-wide': { weight: 1, needsDocker: true, ...wide(image('debian:stable-slim'), 4, 150) },
  'docked-slow': { weight: 2, needsDocker: true, ...slow(image('debian:stable-slim')) },
};

/**
 * Tools of the simulation. What one gives follows from its name and the contents of its inputs, so that an undisturbed run tells what every
 * other must give, and two executions of the same call what each other gave.
 */
import { executor } from '@weft/contracts';
import { EvaluationDropped, ExpressionError, type OwnedEvaluator } from '@weft/expressions';
import { type CommandLineTool, type CwlObject, type CwlValue, isFile, visitFiles } from '@weft/plan';
import type { PreparedTask, TaskBuilder } from '@weft/tasks';
import type { VirtualProcess } from '@weft/testing';

export const TEMPORARY = 75;
/** Their outputs are files. */
const WRITING = new Set(['b', 'c']);
export const OUTPUT_NAME = 'out.txt';
/** Not the same every time, or not a success every time: what is known of one call says nothing about the next. */
export const UNSTABLE = new Set(['flaky', 'breaks', 'fails']);
const CHECKSUM = 'sha1$';

export interface Call {
  tool: string;
  inputs: CwlObject;
}

/** What the call gives, whoever executes it. Files among the inputs stand for what is in them. */
export function textOf({ tool, inputs }: Call): string {
  return `${tool}(${Object.values(inputs).map(shown).join(',')})`;
}

/** `mended`: somebody has mended what 'breaks' broke on. */
export function exitCodeOf(tool: string, attempt: number, mended: boolean): number {
  if (tool === 'fails' || (tool === 'breaks' && !mended)) return 1;
  return tool === 'flaky' && attempt === 1 ? TEMPORARY : 0;
}

export function writesFile(tool: string): boolean {
  return WRITING.has(tool);
}

/** The output object of a call that gave this text; `uri`: of the file where it writes one. */
export function outputsOf(tool: string, text: string, uri: string): CwlObject {
  if (!writesFile(tool)) return { out: text };
  return { out: { class: 'File', location: uri, basename: OUTPUT_NAME, checksum: CHECKSUM + text, size: text.length } };
}

/** A value with files replaced by what they are said to hold: the same in every run, wherever the files lie. */
export function withoutPlaces(value: CwlValue | undefined): CwlValue {
  if (isFile(value)) return `file ${contentOf(value.checksum)}`;
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutPlaces(member as CwlValue)]));
}

export function contentOf(checksum: string | undefined): string {
  return (checksum ?? '').slice(CHECKSUM.length);
}

function shown(value: CwlValue | undefined): string {
  const plain = withoutPlaces(value);
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}

/** Their command line is their input object, with inputs that are files by their places. */
export const simulatedBuilder: TaskBuilder = {
  prepare: async ({ tool, inputs }): Promise<PreparedTask> => ({
    resources: { cores: 1, ramMiB: 1, tmpdirMiB: 1, outdirMiB: 1, diskMiB: 0, gpus: 0, limits: {} },
    bind: async ({ workDir, tmpDir, inputDir }) => {
      const places: string[] = [];
      visitFiles(inputs, ({ location = '' }) => places.push(location));
      const staged = places.map((value, at) =>
        executor.Input.create({ path: `${inputDir}/${at}/${OUTPUT_NAME}`, kind: executor.InputKind.FILE, source: { $case: 'uri', value } }),
      );
      let at = 0;
      const argument = JSON.stringify(inputs, (_name, value: CwlValue) => (isFile(value) ? { staged: at++ } : value));
      return {
        spec: executor.TaskSpec.create({ argv: [tool.id, argument], inputs: staged, workDir, tmpDir }),
        inputs,
        runtime: {},
        reuse: !UNSTABLE.has(tool.id),
      };
    },
  }),
  collectOutputs: async ({ tool }, _bound, _finished, collector) => {
    const item = executor.CollectItem.create({ path: OUTPUT_NAME });
    const [collected] = await collector.collect([item], { publish: true, release: true });
    if (!collected) throw new Error('a runner that collects nothing');
    return outputsOf(tool.id, contentOf(collected.checksum), collected.uri);
  },
};

/** The call that a runner was given, with what it finds in the staged files; undefined: one of them is not there. */
export function callOf(spec: executor.TaskSpec, read: (uri: string) => string | undefined): Call | undefined {
  const [tool = '', argument = '{}'] = spec.argv;
  let complete = true;
  const inputs = JSON.parse(argument, (_name, value: CwlValue) => {
    if (typeof value !== 'object' || value === null || !('staged' in value)) return value;
    const source = spec.inputs[Number(value['staged'])]?.source;
    const text = source?.$case === 'uri' ? read(source.value) : undefined;
    complete &&= text !== undefined;
    return { class: 'File', checksum: CHECKSUM + (text ?? '') };
  }) as CwlObject;
  return complete ? { tool, inputs } : undefined;
}

/** Evaluates the few expressions the workflows use, each taking its time, unless it is dropped before. */
export function simulatedEvaluator(process: VirtualProcess): OwnedEvaluator {
  const underWay = new Map<string, Set<() => void>>();
  return {
    evaluate: (expression, { inputs, self }, { owner }) =>
      new Promise((resolve, reject) => {
        const drops = underWay.get(owner?.run ?? '') ?? new Set();
        const drop = (): void => reject(new EvaluationDropped());
        underWay.set(owner?.run ?? '', drops.add(drop));
        void process
          .compute(() => {
            const evaluate = EXPRESSIONS[expression];
            if (!evaluate) throw new ExpressionError(`unknown expression ${expression}`, expression);
            return evaluate(inputs, self);
          })
          .then(resolve, reject)
          .finally(() => drops.delete(drop));
      }),
    drop: ({ run }) => {
      for (const drop of underWay.get(run) ?? []) drop();
    },
  };
}

const EXPRESSIONS: Record<string, (inputs: CwlObject, self: CwlValue) => CwlValue> = {
  '$(inputs.flag)': (inputs) => inputs['flag'] ?? null,
  '$(inputs.i < 2)': (inputs) => Number(inputs['i'] ?? 0) < 2,
  '$(inputs.i + 1)': (inputs) => Number(inputs['i'] ?? 0) + 1,
  '$(self)!': (_, self) => `${JSON.stringify(withoutPlaces(self))}!`,
  '$({out: inputs})': (inputs) => ({ out: `js(${JSON.stringify(withoutPlaces(inputs))})` }),
  '$(throws)': () => {
    throw new ExpressionError('it throws', '$(throws)');
  },
};

export function commandLineTool(id: string): CommandLineTool {
  return {
    ...{ requirements: [], hints: [], declaredVersion: 'v1.2' },
    class: 'CommandLineTool',
    id,
    inputs: ['x', 'after', 'i'].map((name) => ({ name, type: 'Any' })),
    outputs: [{ name: 'out', type: 'Any' }],
    baseCommand: [id],
    arguments: [],
    successCodes: [0],
    temporaryFailCodes: [TEMPORARY],
    permanentFailCodes: [],
  };
}

/** Packs evaluations into one message for a worker. Equal texts are sent once. */
import type { Batch, ScriptPlace } from './protocol.js';

export interface PendingEvaluation {
  id: number;
  code: string;
  inputsJson: string;
  selfJson: string;
  runtimeJson: string;
  library: string[];
  resolve(json: string): void;
  /** With the reason, a sentence. */
  reject(reason: string, place?: ScriptPlace): void;
}

export function packBatch(evaluations: PendingEvaluation[]): Batch {
  const texts = new Map<string, number>();
  const libraries = new Map<string, { index: number; library: string[] }>();
  const textIndex = (text: string): number => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    texts.set(text, texts.size);
    return texts.size - 1;
  };
  const libraryIndex = (library: string[]): number => {
    const key = library.length === 0 ? '' : JSON.stringify(library);
    const known = libraries.get(key) ?? { index: libraries.size, library };
    libraries.set(key, known);
    return known.index;
  };
  const packed = evaluations.map((evaluation) => ({
    id: evaluation.id,
    code: evaluation.code,
    inputs: textIndex(evaluation.inputsJson),
    self: textIndex(evaluation.selfJson),
    runtime: textIndex(evaluation.runtimeJson),
    library: libraryIndex(evaluation.library),
  }));
  return { texts: [...texts.keys()], libraries: [...libraries.values()].map((entry) => entry.library), evaluations: packed };
}

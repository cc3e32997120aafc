/** A run of a history, and how it ends where nothing disturbs it. */
import type { EngineRules, RunOptions } from '@weft/engine';
import type { Expected } from './outcome.js';
import type { SimulatedWorkflow } from './workflows.js';

export interface SimulatedRun {
  runId: string;
  workflow: KnownWorkflow;
  options: RunOptions;
  rules?: EngineRules | undefined;
  afterSteps: number;
  expected: Expected;
}

export type KnownWorkflow = SimulatedWorkflow & { planHash: string };

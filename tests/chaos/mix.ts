/**
 * What runs while the system is disturbed: quick workflows whose outputs depend on the inputs alone.
 *
 * Invariant: however often a tool is executed, the outputs are the same.
 */
import { docked, slow } from './workflows/containers.js';
import { failing, flaky, mending, openGate, tolerant } from './workflows/failures.js';
import { conditional, files, loop, nested, wide } from './workflows/shapes.js';
import { type Body, image } from './workflows/tools.js';

export const VARIANTS = 3;

export interface Item extends Body {
  /** How often it is submitted, compared with the others. */
  weight: number;
  needsDocker?: boolean;
  /** It fails, with nobody disturbing it. */
  fails?: boolean;
  failureMode?: 'continue';
  /** Makes that go which failed, so that the run can be retried; `folder` as in `inputs`. */
  mend?(folder: string): void;
}

export const MIX: Readonly<Record<string, Item>> = {
  wide: { weight: 3, ...wide({}, 20, 40) },
  nested: { weight: 2, ...nested },
  loop: { weight: 2, ...loop },
  conditional: { weight: 2, ...conditional },
  files: { weight: 2, ...files },
  failing: { weight: 1, fails: true, ...failing },
  tolerant: { weight: 1, fails: true, failureMode: 'continue', ...tolerant },
  mending: { weight: 2, fails: true, mend: openGate, ...mending },
  flaky: { weight: 2, ...flaky },
  slow: { weight: 1, ...slow({}) },
  docked: { weight: 2, needsDocker: true, ...docked },
  'docked-wide': { weight: 1, needsDocker: true, ...wide(image('debian:stable-slim'), 4, 150) },
  'docked-slow': { weight: 2, needsDocker: true, ...slow(image('debian:stable-slim')) },
};

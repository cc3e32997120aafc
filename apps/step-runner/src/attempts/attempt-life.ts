/**
 * Which life of a tool wrote something, for its log. A container is the same one for whoever adopts it. A process ends with its runner, and ids of
 * processes come again.
 */
import { randomBytes } from 'node:crypto';
import type { RunningTask, TaskRuntime } from '@weft/runtimes';

/** Of the id of a container. */
const LIFE_LENGTH = 12;
/** Tells processes of this life of the runner from those of another. */
const THIS_RUNNER = randomBytes(6).toString('base64url');

export function lifeOf({ handle }: RunningTask, { containers }: TaskRuntime, losses: number): string {
  return containers ? handle.slice(0, LIFE_LENGTH) : `${THIS_RUNNER}.${losses}`;
}

/** `weft graph`: the picture of a workflow as DOT or SVG. */
import { writeFileSync } from 'node:fs';
import { planToLookAt } from '../document/prepare.js';
import { CommandError } from '../errors.js';
import { GraphTooLarge, toDot } from '../graph/dot.js';

export async function graphCommand(document: string, options: { svg?: boolean; output?: string }): Promise<void> {
  const plan = await planToLookAt(document);
  let picture: string;
  try {
    picture = toDot(plan);
  } catch (error) {
    throw error instanceof GraphTooLarge ? new CommandError(error.message) : error;
  }
  if (options.svg) picture = await (await import('../graph/svg.js')).toSvg(picture);
  if (options.output === undefined) process.stdout.write(picture);
  else writeFileSync(options.output, picture);
}

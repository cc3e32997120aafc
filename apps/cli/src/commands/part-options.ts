/** What of a document is run, and under which requirements: for `weft run`, and for what it prints instead. */
import type { Beside } from '../document/prepare.js';
import { CommandError } from '../errors.js';

export interface PartOptions {
  overrides?: string;
  target: string[];
  singleStep?: string;
  singleProcess?: string;
}

/** @throws CommandError where they exclude each other */
export function besideOf({ overrides, target, singleStep, singleProcess }: PartOptions): Beside {
  const part = { targets: target, step: singleStep ?? '', process: singleProcess ?? '' };
  const given = [
    target.length > 0 && '--target',
    singleStep !== undefined && '--single-step',
    singleProcess !== undefined && '--single-process',
  ];
  const named = given.filter((name) => name !== false);
  if (named.length > 1) throw new CommandError(`${named.join(' and ')} exclude each other`);
  return { ...(overrides !== undefined && { overrides }), ...(named.length === 1 && { part }) };
}

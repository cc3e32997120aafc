/**
 * Whole numbers whose digits a JSON number cannot keep. CWL's `long` goes to 2^63 - 1, the numbers of plans, logs and JavaScript are doubles:
 * an integer is taken only where it prints as it was written. (Fractions are doubles in CWL too.)
 */
import type { Node, ScalarNode } from './node.js';

const INTEGER = /^[-+]?\d+$|^0[xo][0-9a-fA-F]+$/;

/** The digits as written, where `value` would print others; undefined otherwise. */
export function lostDigits(source: string, value: number): string | undefined {
  if (Number.isSafeInteger(value) || !INTEGER.test(source)) return undefined;
  return BigInt(source) === printed(value) ? undefined : source;
}

/** What JSON and command lines would say. */
function printed(value: number): bigint {
  const [digits = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = digits.split('.');
  return BigInt(whole + fraction) * 10n ** BigInt(Math.max(0, Number(exponent) - fraction.length));
}

/** The scalars in a value whose digits would be lost. */
export function inexactNumbers(node: Node): ScalarNode[] {
  if (node.kind === 'scalar') return node.digits === undefined ? [] : [node];
  if (node.kind === 'list') return node.items.flatMap(inexactNumbers);
  return [...node.entries.values()].flatMap((entry) => inexactNumbers(entry.value));
}

export function inexactMessage(digits: string, value: ScalarNode['value']): string {
  return `the integer ${digits} cannot be represented exactly (it would become ${String(value)})`;
}

export const INEXACT_HINT = 'make it a string: type string, and the value in quotes';

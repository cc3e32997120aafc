/** The address of a plan. */
import { createHash } from 'node:crypto';
import { canonicalJson, type Plan } from '@weft/plan';

/** SHA-256 of the plan's canonical JSON, lower-case hex. */
export function planHash(plan: Plan): string {
  return sha256(canonicalJson(plan));
}

export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

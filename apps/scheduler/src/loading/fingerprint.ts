/**
 * What a submission asks for, as one value: the same for a repeated call, another one for anything that would make another run.
 * It is made of what the client sent, not of what was made of it, and without what has its default value, so that it outlives our versions.
 */
import { createHash } from 'node:crypto';
import type { scheduler } from '@weft/contracts';
import { canonicalJson, jsonOf } from '@weft/plan';

/**
 * SHA-256, hexadecimal. The idempotency key itself does not count, nor where the call comes from: the same command from another shell asks
 * for the same, and finds the run that has the first shell's PATH. Variables that were chosen do count.
 */
export function fingerprintOf(request: scheduler.SubmitRunRequest): string {
  const { idempotencyKey: _key, inputsJson, ...whole } = request;
  const caller = whole.options?.caller && { environment: whole.options.caller.environment };
  const rest = { ...whole, options: whole.options && { ...whole.options, caller } };
  return createHash('sha256')
    .update(canonicalJson([meaningOf(inputsJson), withoutDefaults(rest)]))
    .digest('hex');
}

/** The order of members and white space do not matter where it is JSON. */
function meaningOf(inputs: string): unknown {
  const value = jsonOf(inputs);
  return value === undefined ? inputs : value;
}

/** As protobuf's own JSON has it: a member that is not sent and one that is sent as 0, false or nothing are the same. */
function withoutDefaults(message: object): object {
  const set = Object.entries(message).map(([name, value]): [string, unknown] => [
    name,
    typeof value === 'object' && value !== null ? withoutDefaults(value as object) : value,
  ]);
  const isSet = (value: unknown): boolean => (typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value));
  return Object.fromEntries(set.filter(([, value]) => isSet(value)));
}

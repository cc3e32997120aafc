/** A large body → values for what is small of it, texts for the rest. */
import type { FromBodyThread, PartText } from './protocol.js';
import type { ReadBody } from './read-body.js';
import { BodyRefusal } from './refusal.js';

/** Values of a part that is handed over as such, as many as a bundle of documents may have; copying them takes a few milliseconds. */
export const SMALL_VALUES = 12_000;
/** Keys of a part that are told. */
const TOLD_KEYS = 1_000;

type Parts = Omit<Extract<FromBodyThread, { kind: 'read' }>, 'kind'>;

/** @throws BodyRefusal where it is no object, or one of more members than any call has. */
export function partsOf({ text, value, members }: ReadBody): Parts {
  if (value === undefined) return { value, parts: {} };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BodyRefusal('the body is no JSON object');
  if (members.length > SMALL_VALUES) throw new BodyRefusal(`the body has ${members.length} fields; ${SMALL_VALUES} are allowed`);
  const whole = value as Record<string, unknown>;
  const small: Record<string, unknown> = {};
  const parts: Record<string, PartText> = {};
  for (const { key, from, to, values } of members) {
    const part = whole[key];
    if (values <= SMALL_VALUES || typeof part !== 'object' || part === null) small[key] = part;
    else parts[key] = { text: text.slice(from, to).trim(), ...described(part) };
  }
  return { value: small, parts };
}

function described(part: object): Pick<PartText, 'kind' | 'keys'> {
  return Array.isArray(part) ? { kind: 'array', keys: [] } : { kind: 'object', keys: Object.keys(part).slice(0, TOLD_KEYS) };
}

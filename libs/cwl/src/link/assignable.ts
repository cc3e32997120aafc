/**
 * May a value of one type go where another is expected? `yes`: always; `maybe`: some values may (a warning); `no`: none can (an error).
 * Source: CWL v1.2 Workflow.html §2.1.5 "Data links": "compatible" means that the intersection of the types is not empty.
 */
import type { CwlType, RecordType } from '@weft/plan';
import { namesOf, shortened } from '../diagnostics.js';

export type Fit = 'yes' | 'maybe' | 'no';

const NUMBERS: readonly string[] = ['int', 'long', 'float', 'double'];

/** Named types are one object wherever they are used: what is known of two of them is not found again, and unions of unions stay cheap. */
const known = new WeakMap<object, WeakMap<object, Fit>>();

export function fit(source: CwlType, sink: CwlType): Fit {
  if (source === 'Any' || sink === 'Any') return 'yes';
  if (typeof source !== 'object' || typeof sink !== 'object') return fitOf(source, sink);
  const ofSource = known.get(source) ?? new WeakMap<object, Fit>();
  known.set(source, ofSource);
  const answer = ofSource.get(sink) ?? fitOf(source, sink);
  ofSource.set(sink, answer);
  return answer;
}

function fitOf(source: CwlType, sink: CwlType): Fit {
  if (Array.isArray(source))
    return every(
      source.map((member) => fit(member, sink)),
      source,
    );
  if (Array.isArray(sink)) return best(sink.map((member) => fit(source, member)));
  if (typeof source === 'string' || typeof sink === 'string') return fitNamed(source, sink);
  if (source.type === 'array' && sink.type === 'array') return fit(source.items, sink.items);
  if (source.type === 'record' && sink.type === 'record') return fitRecord(source, sink);
  if (source.type === 'enum' && sink.type === 'enum') {
    const taken = new Set(sink.symbols);
    const shared = source.symbols.filter((symbol) => taken.has(symbol)).length;
    return shared === source.symbols.length ? 'yes' : shared > 0 ? 'maybe' : 'no';
  }
  return 'no';
}

/** A union fits when all its members do, and may fit when one that is not null may. */
function every(fits: Fit[], members: CwlType[]): Fit {
  if (fits.every((f) => f === 'yes')) return 'yes';
  return fits.some((f, i) => f !== 'no' && members[i] !== 'null') ? 'maybe' : 'no';
}

function best(fits: Fit[]): Fit {
  return fits.includes('yes') ? 'yes' : fits.includes('maybe') ? 'maybe' : 'no';
}

function fitNamed(source: Exclude<CwlType, CwlType[]>, sink: Exclude<CwlType, CwlType[]>): Fit {
  if (source === sink) return 'yes';
  if (typeof source === 'object') return source.type === 'enum' && sink === 'string' ? 'yes' : 'no';
  if (typeof sink === 'object') return sink.type === 'enum' && source === 'string' ? 'maybe' : 'no';
  const [from, to] = [NUMBERS.indexOf(source), NUMBERS.indexOf(sink)];
  if (from < 0 || to < 0) return 'no';
  return from >= 2 && to < 2 ? 'maybe' : 'yes';
}

function fitRecord(source: RecordType, sink: RecordType): Fit {
  const fits = sink.fields.map((f): Fit => fit(source.fields.find((s) => s.name === f.name)?.type ?? 'null', f.type));
  return fits.includes('no') ? 'no' : fits.includes('maybe') ? 'maybe' : 'yes';
}

export function acceptsNull(type: CwlType): boolean {
  return type === 'null' || (Array.isArray(type) && type.some(acceptsNull));
}

export function withNull(type: CwlType): CwlType {
  return acceptsNull(type) || type === 'Any' ? type : ['null', ...(Array.isArray(type) ? type : [type])];
}

export function withoutNull(type: CwlType): CwlType {
  if (!Array.isArray(type)) return type;
  const rest = type.filter((member) => member !== 'null');
  const [only] = rest;
  return rest.length === 1 && only !== undefined ? only : rest.length === 0 ? 'null' : rest;
}

const names = new WeakMap<object, string>();

/** The type as an author would write it, as far as anybody reads. */
export function typeName(type: CwlType): string {
  if (typeof type === 'string') return type;
  const name = names.get(type) ?? shortened(nameOfType(type), 500);
  names.set(type, name);
  return name;
}

function nameOfType(type: Exclude<CwlType, string>): string {
  if (Array.isArray(type)) {
    const rest = withoutNull(type);
    if (acceptsNull(type) && rest !== 'null')
      return Array.isArray(rest) ? `${rest.map(typeName).join(' | ')} | null` : `${typeName(rest)}?`;
    return type.map(typeName).join(' | ');
  }
  if (type.type === 'array')
    return Array.isArray(type.items) && !acceptsNull(type.items) ? `(${typeName(type.items)})[]` : `${typeName(type.items)}[]`;
  if (type.name !== undefined) return `${type.type} ${type.name}`;
  return type.type === 'enum' ? `enum (${namesOf(type.symbols)})` : `record (${namesOf(type.fields.map((f) => f.name))})`;
}

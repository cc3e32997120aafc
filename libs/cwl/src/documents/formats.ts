/**
 * Format ontologies (`$schemas`): rdfs:subClassOf and owl:equivalentClass, read line by line from RDF/XML and Turtle. No RDF library: only these
 * two relations between named classes matter, and EDAM's 2.6 MB must cost milliseconds.
 */
import { type FormatOntology, pushTo } from '@weft/plan';

/** Adds the relations that a text declares. */
export function readOntology(text: string, into: Map<string, Set<string>>): void {
  if (/<rdf:RDF|<\?xml|<owl:/.test(text.slice(0, 4096))) readXml(text, into);
  else readTurtle(text, into);
}

/** Only what leads to one of `wanted`: a plan does not carry a whole ontology. */
export function pruneOntology(relations: ReadonlyMap<string, ReadonlySet<string>>, wanted: Iterable<string>): FormatOntology {
  const below = new Map<string, string[]>();
  for (const [iri, above] of relations) for (const parent of above) pushTo(below, parent, iri);
  const kept = new Set(wanted);
  for (const iri of kept) for (const child of below.get(iri) ?? []) kept.add(child);
  const ontology: FormatOntology = {};
  for (const iri of [...kept].sort()) {
    const above = [...(relations.get(iri) ?? [])].filter((parent) => kept.has(parent)).sort();
    if (above.length > 0) ontology[iri] = above;
  }
  return ontology;
}

function relate(into: Map<string, Set<string>>, iri: string, above: string): void {
  const known = into.get(iri);
  if (known) known.add(above);
  else into.set(iri, new Set([above]));
}

function readXml(text: string, into: Map<string, Set<string>>): void {
  const entities = new Map([...text.slice(0, 16_384).matchAll(/<!ENTITY\s+(\S+)\s+"([^"]*)"/g)].map((m) => [m[1] ?? '', m[2] ?? '']));
  const decode = (iri: string): string => iri.replace(/&([^;&]+);/g, (whole, name: string) => entities.get(name) ?? whole);
  const tags =
    /<(?:owl:Class|rdfs:Class|rdf:Description)\b[^<>]*?\brdf:about="([^"]*)"|<(rdfs:subClassOf|owl:equivalentClass)\b[^<>]*?\brdf:resource="([^"]*)"/g;
  let subject: string | undefined;
  for (const match of text.matchAll(tags)) {
    if (match[1] !== undefined) subject = decode(match[1]);
    else if (subject !== undefined && match[3] !== undefined) {
      relate(into, subject, decode(match[3]));
      if (match[2] === 'owl:equivalentClass') relate(into, decode(match[3]), subject);
    }
  }
}

const TURTLE_TOKEN =
  /#[^\n]*|"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"(?:@[\w-]+|\^\^\S+)?|<([^<>\s]*)>|[.;,[\]()](?=\s|$|[[\]()])|[^\s<>"[\](),;]*[^\s<>"[\](),;.]/g;

function readTurtle(text: string, into: Map<string, Set<string>>): void {
  const prefixes = new Map<string, string>();
  const iriOf = (token: string): string => {
    if (token.startsWith('<')) return token.slice(1, -1);
    const at = token.indexOf(':');
    const prefix = at < 0 ? undefined : prefixes.get(token.slice(0, at));
    return prefix === undefined ? token : prefix + token.slice(at + 1);
  };
  for (const statement of statements(text)) {
    if (/^@?prefix$/i.test(statement[0] ?? '')) {
      prefixes.set((statement[1] ?? '').replace(/:$/, ''), iriOf(statement[2] ?? ''));
      continue;
    }
    readStatement(statement, iriOf, into);
  }
}

/** Statements as lists of tokens; what stands in brackets (blank nodes, collections) is left out. */
function statements(text: string): string[][] {
  const all: string[][] = [];
  let [current, depth]: [string[], number] = [[], 0];
  for (const [token] of text.matchAll(TURTLE_TOKEN)) {
    if (token.startsWith('#')) continue;
    if (token === '[' || token === '(') depth += 1;
    else if (token === ']' || token === ')') depth -= 1;
    else if (depth === 0 && token === '.') {
      all.push(current);
      current = [];
    } else if (depth === 0) {
      current.push(token);
      // SPARQL's PREFIX has no dot at its end.
      if (current.length === 3 && /^prefix$/i.test(current[0] ?? '')) {
        all.push(current);
        current = [];
      }
    }
  }
  return current.length === 0 ? all : [...all, current];
}

function readStatement(statement: string[], iriOf: (token: string) => string, into: Map<string, Set<string>>): void {
  const subject = iriOf(statement[0] ?? '');
  let [predicate, isNext] = ['', true];
  for (const token of statement.slice(1)) {
    if (token === ';') isNext = true;
    else if (isNext) [predicate, isNext] = [iriOf(token), false];
    else if (token !== ',') {
      const equivalent = predicate === 'http://www.w3.org/2002/07/owl#equivalentClass';
      if (!equivalent && predicate !== 'http://www.w3.org/2000/01/rdf-schema#subClassOf') continue;
      relate(into, subject, iriOf(token));
      if (equivalent) relate(into, iriOf(token), subject);
    }
  }
}

/**
 * Documents by address: read once, parsed, directives resolved, processes indexed by fragment.
 * Reading is sequential on purpose: the chain of imports is then known, so that a circle is reported instead of waited for.
 */
import type { Fetcher } from '../api.js';
import { namesOf, type Reporter } from '../diagnostics.js';
import { didYouMean } from '../source/nearest-name.js';
import { field, isList, isMap, stringField, stringOf, type MapNode, type Node, type Place, type SourceFile } from '../source/node.js';
import { MAX_DEPTH, MAX_NODES } from '../limits.js';
import { NodeSizes } from '../source/node-size.js';
import { parseYaml } from '../source/parse-yaml.js';
import { fragmentOf, resolveUri, shortName, splitFragment } from '../source/uri.js';
import { resolveDirectives, type DirectiveSource } from './directives.js';

export interface LoadedDocument {
  file: SourceFile;
  root: Node;
  /** Items of `$graph` by fragment; the root itself under its own id. */
  fragments: Map<string, MapNode>;
  isGraph: boolean;
  /** `cwlVersion` of the document, as written. */
  version?: { text: string; place: Place };
}

/** How much larger imports may make a document: this many nodes, or ten times its own. */
const MAX_IMPORTED = 100_000;

export class DocumentStore implements DirectiveSource {
  private readonly documents = new Map<string, LoadedDocument | undefined>();
  /** Roots of the documents whose directives are being resolved: packed documents import parts of themselves. */
  private readonly open = new Map<string, Node>();
  private readonly sizes = new NodeSizes();
  private limited = false;
  /** Parts of open documents by address, directives resolved. */
  private readonly parts = new Map<string, Node>();
  /** What documents that are open can import of themselves; made when the first of it is asked for. */
  private readonly found = new Map<string, Map<string, MapNode>>();
  private readonly texts = new Map<string, { text: string } | { error: string }>();

  constructor(
    private readonly fetcher: Fetcher,
    private readonly reporter: Reporter,
  ) {}

  /** The document at a URI (its fragment is ignored), or undefined after an error was reported at `at`, or at the document when there is no such place. */
  async load(uri: string, at: Place | undefined, chain: readonly string[] = []): Promise<LoadedDocument | undefined> {
    const address = splitFragment(uri).uri;
    if (this.documents.has(address)) return this.documents.get(address);
    const file: SourceFile = { uri: address, text: '', namespaces: {}, fetched: true };
    const read = await this.read(address);
    if ('error' in read) {
      this.reporter.error(at ?? { file, start: -1, end: -1 }, 'cannot-read', read.error);
      this.documents.set(address, undefined);
      return undefined;
    }
    file.text = read.text;
    const parsed = parseYaml(file, this.reporter);
    if (parsed && isMap(parsed)) file.namespaces = namespacesOf(parsed);
    if (parsed) this.open.set(address, parsed);
    const resolved = parsed && (await resolveDirectives(parsed, this, [...chain, address]));
    this.open.delete(address);
    this.found.delete(address);
    const root = resolved === parsed ? resolved : this.bounded(resolved, at ?? { file, start: 0, end: 0 });
    const document = root && index(file, root, this.reporter);
    this.documents.set(address, document);
    return document;
  }

  /** Imports share what they name; written out, a few files that import each other twice would fill any memory. */
  bounded(root: Node | undefined, at: Place): Node | undefined {
    if (root === undefined) return undefined;
    const { nodes, levels } = this.sizes.of(root);
    const most = Math.min(MAX_NODES, MAX_IMPORTED + 10 * this.sizes.distinct);
    if (nodes <= most && levels <= MAX_DEPTH + 1) return root;
    const what = levels > MAX_DEPTH + 1 ? `be nested more than ${MAX_DEPTH} levels deep` : `have more than ${most} nodes`;
    if (!this.limited) this.reporter.error(at, 'document-limit', `with its imports written out the document would ${what}`);
    this.limited = true;
    return undefined;
  }

  /** A document that was loaded before. */
  loaded(uri: string): LoadedDocument | undefined {
    return this.documents.get(splitFragment(uri).uri);
  }

  /** Every document that could be read, in the order of reading. */
  all(): LoadedDocument[] {
    return [...this.documents.values()].filter((document) => document !== undefined);
  }

  async importNode(reference: string, at: Place, chain: readonly string[]): Promise<Node | undefined> {
    const uri = this.resolve(reference, at);
    if (uri === undefined) return undefined;
    const { uri: address, fragment } = splitFragment(uri);
    if (chain.includes(address) && fragment !== undefined && !chain.includes(uri)) {
      const known = this.parts.get(uri);
      if (known) return known;
      const part = this.partsOf(address).get(fragment);
      if (part) {
        const resolved = await resolveDirectives(part, this, [...chain, uri]);
        this.parts.set(uri, resolved);
        return resolved;
      }
    }
    if (chain.includes(address)) {
      const circle = [...chain.slice(chain.indexOf(address)), address].map(shortName).join(' → ');
      this.reporter.error(at, 'import-cycle', `'${reference}' imports itself: ${circle}`);
      return undefined;
    }
    const document = await this.load(address, at, chain);
    if (document === undefined || fragment === undefined) return document?.root;
    return this.fragment(document, fragment, at);
  }

  private partsOf(address: string): Map<string, MapNode> {
    const known = this.found.get(address);
    if (known !== undefined) return known;
    const parts = partsIn(this.open.get(address));
    this.found.set(address, parts);
    return parts;
  }

  async includeText(reference: string, at: Place): Promise<string | undefined> {
    const uri = this.resolve(reference, at);
    if (uri === undefined) return undefined;
    const read = await this.read(splitFragment(uri).uri);
    if ('text' in read) return read.text;
    this.reporter.error(at, 'cannot-read', read.error);
    return undefined;
  }

  /** The text behind an address, or why it cannot be had. */
  async read(address: string): Promise<{ text: string } | { error: string }> {
    const known = this.texts.get(address);
    if (known) return known;
    const read = await this.fetcher.fetch(address).then(
      (text) => ({ text: text.charCodeAt(0) === 0xfeff ? text.slice(1) : text }),
      (error: unknown) => ({ error: messageOf(error) }),
    );
    this.texts.set(address, read);
    return read;
  }

  /** The process that a fragment names. */
  fragment(document: LoadedDocument, fragment: string, at: Place): MapNode | undefined {
    const found = document.fragments.get(fragment);
    if (found) return found;
    const names = (): string[] => [...document.fragments.keys()];
    const known = (): string => (document.fragments.size === 0 ? 'it names nothing' : `it has ${namesOf(names().map((n) => `'${n}'`))}`);
    const message = (): string => `'${shortName(document.file.uri)}' has no '#${fragment}'; ${known()}`;
    this.reporter.error(at, 'unknown-fragment', message, () => didYouMean(fragment, names()));
    return undefined;
  }

  /** A reference made absolute; reports at `at` where it cannot be. */
  resolve(reference: string, at: Place): string | undefined {
    try {
      return resolveUri(reference, at.file.uri);
    } catch (error) {
      this.reporter.error(at, 'cannot-read', messageOf(error));
      return undefined;
    }
  }
}

/** Node's own errors are not `instanceof Error` in every realm. */
function messageOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : undefined;
  return typeof message === 'string' ? message : String(error);
}

/** The maps in `node` by the fragment that their `id` or `name` is. */
function partsIn(node: Node | undefined): Map<string, MapNode> {
  const parts = new Map<string, MapNode>();
  const open: Node[] = node === undefined ? [] : [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (isList(next)) for (const item of next.items) open.push(item);
    if (!isMap(next)) continue;
    const id = stringField(next, 'id') ?? stringField(next, 'name');
    if (id !== undefined && !parts.has(fragmentOf(id))) parts.set(fragmentOf(id), next);
    for (const entry of next.entries.values()) open.push(entry.value);
  }
  return parts;
}

/** Of the root, and of the items of a packed document. */
function namespacesOf(root: MapNode): Record<string, string> {
  const graph = field(root, '$graph');
  const owners = [root, ...(isList(graph) ? graph.items.filter(isMap) : [])];
  const all: Record<string, string> = {};
  for (const owner of owners.reverse()) Object.assign(all, declaredNamespaces(owner));
  return all;
}

function declaredNamespaces(owner: MapNode): Record<string, string> {
  const declared = field(owner, '$namespaces');
  if (!isMap(declared)) return {};
  return Object.fromEntries(
    [...declared.entries.values()].flatMap((e) => (stringOf(e.value) === undefined ? [] : [[e.key, stringOf(e.value) ?? '']])),
  );
}

function index(file: SourceFile, root: Node, reporter: Reporter): LoadedDocument {
  const fragments = new Map<string, MapNode>();
  const graph = isMap(root) ? field(root, '$graph') : root;
  const add = (node: Node): void => {
    if (!isMap(node)) return;
    const id = stringField(node, 'id') ?? stringField(node, 'name');
    if (id === undefined) return;
    const known = fragments.get(fragmentOf(id));
    if (known !== undefined && known !== node && isMap(root)) {
      const place = node.entries.get('id')?.value ?? node;
      reporter.error(place, 'duplicate-id', `'$graph' has two items named '${fragmentOf(id)}'`);
    }
    fragments.set(fragmentOf(id), node);
  };
  if (isList(graph)) graph.items.forEach(add);
  else if (isMap(graph))
    for (const entry of graph.entries.values()) if (isMap(entry.value)) fragments.set(fragmentOf(entry.key), entry.value);
  if (isMap(root) && !isList(graph) && !isMap(graph)) add(root);
  const version = isMap(root) ? root.entries.get('cwlVersion') : undefined;
  const text = stringOf(version?.value);
  return {
    file,
    root,
    fragments,
    isGraph: isList(graph) || isMap(graph),
    version: version && text !== undefined ? { text, place: version.value } : undefined,
  };
}

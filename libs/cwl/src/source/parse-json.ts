/**
 * JSON text → nodes with places, many times faster than through YAML. It answers only for text that is plain JSON without anything to remark;
 * all else (mistakes, duplicate keys, deep nesting, YAML in JSON's clothes) is left to the YAML reader, which knows how to speak about it.
 */
import { lostDigits } from './exact-numbers.js';
import type { MapEntry, Node, SourceFile } from './node.js';

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
/** What a string of JSON cannot hold as it is, and what ends it. */
const STRING_PART = /["\\\n\r\t]/g;

/** Thrown, and caught here: the text is not plain JSON. */
const GIVE_UP = Symbol('not plain JSON');
const TOO_LARGE = Symbol('more nodes than are allowed');

/** `large`: it has more nodes than `maxNodes`. Undefined for what is left to the YAML reader. */
export function parseJson(file: SourceFile, maxDepth: number, maxNodes: number): Node | 'large' | undefined {
  if (!/^\s*[{[]/.test(file.text)) return undefined;
  try {
    return new JsonReader(file, maxDepth, maxNodes).read();
  } catch (error) {
    if (error === GIVE_UP) return undefined;
    if (error === TOO_LARGE) return 'large';
    throw error;
  }
}

class JsonReader {
  private readonly text: string;
  private at = 0;
  private nodes = 0;

  constructor(
    private readonly file: SourceFile,
    private readonly maxDepth: number,
    private readonly maxNodes: number,
  ) {
    this.text = file.text;
  }

  read(): Node {
    const root = this.value(0);
    this.skip();
    if (this.at < this.text.length) throw GIVE_UP;
    return root;
  }

  private value(depth: number): Node {
    if (depth > this.maxDepth) throw GIVE_UP;
    this.nodes += 1;
    if (this.nodes > this.maxNodes) throw TOO_LARGE;
    this.skip();
    const start = this.at;
    switch (this.text[start]) {
      case '{':
        return this.map(start, depth);
      case '[':
        return this.list(start, depth);
      case '"': {
        const value = this.string();
        return { kind: 'scalar', file: this.file, start, end: this.at, value };
      }
      default:
        return this.word(start);
    }
  }

  private map(start: number, depth: number): Node {
    const entries = new Map<string, MapEntry>();
    this.at += 1;
    for (let first = true; !this.closes('}', first); first = false) {
      this.skip();
      const from = this.at;
      const key = this.string();
      if (key === '<<' || entries.has(key)) throw GIVE_UP;
      const place = { file: this.file, start: from, end: this.at };
      this.skip();
      this.expect(':');
      entries.set(key, { key, place, value: this.value(depth + 1) });
    }
    return { kind: 'map', file: this.file, start, end: this.at, entries };
  }

  private list(start: number, depth: number): Node {
    const items: Node[] = [];
    this.at += 1;
    for (let first = true; !this.closes(']', first); first = false) items.push(this.value(depth + 1));
    return { kind: 'list', file: this.file, start, end: this.at, items };
  }

  /** True after the closing bracket; before all but the first item there must be a comma. */
  private closes(bracket: string, first: boolean): boolean {
    this.skip();
    if (this.text[this.at] === bracket) {
      this.at += 1;
      return true;
    }
    if (!first) this.expect(',');
    return false;
  }

  /** No expression over the whole of it: that takes stack for each character. */
  private string(): string {
    const start = this.at;
    if (this.text[start] !== '"') throw GIVE_UP;
    let escaped = false;
    STRING_PART.lastIndex = start + 1;
    for (let part = STRING_PART.exec(this.text); ; part = STRING_PART.exec(this.text)) {
      if (part === null || (part[0] !== '"' && part[0] !== '\\')) throw GIVE_UP;
      this.at = part.index + 1;
      if (part[0] === '"') break;
      escaped = true;
      STRING_PART.lastIndex = part.index + 2;
    }
    if (!escaped) return this.text.slice(start + 1, this.at - 1);
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string;
    } catch {
      throw GIVE_UP;
    }
  }

  private word(start: number): Node {
    for (const [name, value] of WORDS) {
      if (!this.text.startsWith(name, start)) continue;
      this.at = start + name.length;
      return this.scalar(start, value);
    }
    NUMBER.lastIndex = start;
    const source = NUMBER.exec(this.text)?.[0];
    const value = Number(source);
    if (source === undefined || !Number.isFinite(value)) throw GIVE_UP;
    this.at = start + source.length;
    const node = this.scalar(start, value);
    const digits = lostDigits(source, value);
    return digits === undefined ? node : { ...node, digits };
  }

  /** What follows a word must end it: `nullx` and `1.2.3` are text to YAML. */
  private scalar(start: number, value: null | boolean | number): Node & { kind: 'scalar' } {
    if (!/[\s,\]}]/.test(this.text[this.at] ?? ',')) throw GIVE_UP;
    return { kind: 'scalar', file: this.file, start, end: this.at, value };
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) throw GIVE_UP;
    this.at += 1;
  }

  private skip(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.at += 1;
    }
  }
}

const WORDS: readonly [string, null | boolean][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

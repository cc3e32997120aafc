/**
 * The YAML library, kept within limits: its parser is fed word by word, so that text that is too long or too deep is refused before a tree
 * of it is built. (Its composer recurses, and takes time squared for flow collections that are nested deeply.)
 */
import { Composer, Lexer, Parser, type CST, type Document, type ScalarTag, type Tags, type YAMLParseError } from 'yaml';
import { MAX_DEPTH, MAX_YAML_TOKENS } from '../limits.js';

/** The document; `deep` and `long` where it is beyond a limit. */
export type Composed = Document.Parsed | 'deep' | 'long';

/** What is tagged as a float may be written as an integer (YAML 1.2.2, 10.2.1.4); the library knows it by its point or exponent alone. */
const FLOAT: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: false,
  resolve: (text, onError) => {
    const number = Number(text);
    if (text.trim() === '' || !Number.isFinite(number)) onError(`${text === '' ? 'nothing' : text} is no !!float that JSON can hold`);
    return number;
  },
};

/** Duplicate keys are looked for by our own reader: the library compares each key with all before it. */
const OPTIONS = {
  version: '1.2',
  schema: 'core',
  prettyErrors: false,
  keepSourceTokens: false,
  uniqueKeys: false,
  customTags: (tags: Tags) => [...tags, FLOAT],
} as const;

class Beyond extends Error {
  constructor(readonly limit: 'deep' | 'long') {
    super(limit);
  }
}

export function composeYaml(text: string): Composed {
  try {
    const document = compose(text, new Lexer());
    if (!document.errors.some(isUnclosedQuote)) return document;
    // YAML wants lines within quotes deeper than their key; the reader that most CWL was tried with does not.
    const lenient = compose(text, lexerOfShallowQuotes());
    return lenient.errors.length === 0 ? lenient : document;
  } catch (error) {
    if (error instanceof Beyond) return error.limit;
    if ((error as { name?: unknown }).name === 'RangeError') return 'deep';
    throw error;
  }
}

/** As the library's own `parseDocument`; a second document is told of among the errors of the first. */
function compose(text: string, lexer: Lexer): Document.Parsed {
  let first: Document.Parsed | undefined;
  for (const document of new Composer(OPTIONS).compose(tokensOf(text, lexer), true, text.length)) {
    first ??= document as Document.Parsed;
    if (document === first) continue;
    const [start, end] = document.range;
    first.errors.push({ name: 'YAMLParseError', code: 'MULTIPLE_DOCS', message: SECOND_DOCUMENT, pos: [start, end] });
    break;
  }
  if (first === undefined) throw new Error('the YAML library gave no document');
  return first;
}

export const SECOND_DOCUMENT = 'Source contains multiple documents';

function isUnclosedQuote({ code, message }: YAMLParseError): boolean {
  return code === 'MISSING_CHAR' && /quote/.test(message);
}

/** What of the library's lexer is asked for here; its own types keep it to themselves. */
interface InsideLexer {
  indentNext: number;
  parseQuotedScalar(): Generator<string, unknown>;
}

/** One that looks for the end of a quoted scalar on every following line, however far that is indented. */
function lexerOfShallowQuotes(): Lexer {
  const lexer = new Lexer();
  const inside = lexer as unknown as InsideLexer;
  const quoted = inside.parseQuotedScalar.bind(lexer);
  inside.parseQuotedScalar = function* () {
    const { indentNext } = inside;
    inside.indentNext = 0;
    try {
      return yield* quoted();
    } finally {
      inside.indentNext = indentNext;
    }
  };
  return lexer;
}

function* tokensOf(text: string, lexer: Lexer): Generator<CST.Token> {
  const parser = new Parser();
  const depth = new DepthOfWords();
  let count = 0;
  for (const word of lexer.lex(text)) {
    count += 1;
    if (count > MAX_YAML_TOKENS) throw new Beyond('long');
    if (depth.after(word) > MAX_DEPTH + 1) throw new Beyond('deep');
    yield* parser.next(word);
  }
  yield* parser.end();
}

/** How deep brackets nest, and indicators (`- - -`) on one line. What is nested by indentation takes a line for each level. */
class DepthOfWords {
  private brackets = 0;
  private indicators = 0;

  after(word: string): number {
    if (word === '[' || word === '{') this.brackets += 1;
    else if (word === ']' || word === '}') this.brackets = Math.max(0, this.brackets - 1);
    else if (word.charCodeAt(0) === 0x0a || word.charCodeAt(0) === 0x0d) this.indicators = 0;
    else if (this.brackets === 0 && (word === '-' || word === '?' || word === ':')) this.indicators += 1;
    return Math.max(this.brackets, this.indicators);
  }
}

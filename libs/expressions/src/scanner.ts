/**
 * Cuts a string into literal text and expressions.
 * Source: CWL v1.2 CommandLineTool §3.5 (nesting, quotes, backslash escapes); the older escape rule is that of v1.0 and v1.1.
 *
 * Invariants:
 *  1. An expression's text keeps its outer bracket: "(…)" is a parameter reference or JavaScript expression, "{…}" a function body.
 *  2. Literals are never empty and are unescaped already; two literals never follow one another.
 */
import { ExpressionError } from './api.js';

/** `at`: where the code begins in the text, its bracket included. */
export type Segment = { kind: 'literal'; text: string } | { kind: 'expression'; code: string; at: number };

/** `lookahead`: `\$(`, `\${` and `\\` are escapes, other backslashes are text (v1.2). `skip`: a backslash disappears and protects one character. */
export type EscapeRule = 'lookahead' | 'skip';

export function escapeRule(declaredVersion: string | undefined): EscapeRule {
  return declaredVersion !== undefined && /^(v1\.[01](\D|$)|draft-)/.test(declaredVersion) ? 'skip' : 'lookahead';
}

/** In one text: each is evaluated by itself. Nobody writes as many; what is made to be evaluated for ever is. */
export const MAX_EXPRESSIONS = 10_000;

/** Throws ExpressionError where a bracket or quote of an expression is never closed, or there are too many expressions. */
export function scan(text: string, rule: EscapeRule): Segment[] {
  const segments: Segment[] = [];
  let literal = '';
  let at = 0;
  let expressions = 0;
  while (at < text.length) {
    const next = text[at + 1];
    if (text[at] === '\\' && next !== undefined) {
      const [unescaped, length] = unescape(text, at, rule);
      literal += unescaped;
      at += length;
    } else if (text[at] === '$' && (next === '(' || next === '{')) {
      const end = closingBracket(text, at + 1);
      expressions += 1;
      if (expressions > MAX_EXPRESSIONS)
        throw new ExpressionError(`the text holds more than ${MAX_EXPRESSIONS} expressions; make it with one`, text.slice(0, 100), {
          text,
          offset: at,
        });
      if (literal !== '') segments.push({ kind: 'literal', text: literal });
      literal = '';
      segments.push({ kind: 'expression', code: text.slice(at + 1, end + 1), at: at + 1 });
      at = end + 1;
    } else {
      literal += text[at];
      at += 1;
    }
  }
  if (literal !== '') segments.push({ kind: 'literal', text: literal });
  return segments;
}

/** The text that a backslash at `at` stands for, and how many characters it takes. */
function unescape(text: string, at: number, rule: EscapeRule): [string, number] {
  const next = text.charAt(at + 1);
  if (rule === 'skip') return [next, 2];
  if (next === '$' && (text[at + 2] === '(' || text[at + 2] === '{')) return [text.slice(at + 1, at + 3), 3];
  if (next === '\\') return ['\\', 2];
  return [text.slice(at, at + 2), 2];
}

/** Index of the bracket that closes the one at `open`; only brackets of its own kind nest, and those inside quotes do not count. */
function closingBracket(text: string, open: number): number {
  const opening = text.charAt(open);
  const closing = opening === '(' ? ')' : '}';
  let depth = 0;
  let quote = '';
  for (let at = open; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quote !== '') {
      if (char === '\\') at += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === opening) depth += 1;
    else if (char === closing && --depth === 0) return at;
  }
  const missing = quote === '' ? `no '${closing}' closes this expression` : `a quote (${quote}) is never closed in this expression`;
  throw new ExpressionError(`${missing}; brackets and quotes inside comments count too`, text.slice(open - 1), { text, offset: open - 1 });
}

/** The texts that the sandbox gives to the interpreter. User code begins on line 1 of its script, so that reported lines are the author's. */

/**
 * Runs once per memory image, before any user code, and keeps the built-ins it needs out of that code's reach.
 * Math.random is replaced because a memory image would repeat its numbers; the host seeds it anew for every evaluation.
 */
export const HARNESS = `"use strict";
(() => {
  const { parse, stringify } = JSON;
  const { isSafeInteger, isFinite } = Number;
  const imul = Math.imul, toNumber = Number, toText = String;
  let seed = 0;
  Math.random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const silent = () => undefined;
  globalThis.console = { log: silent, info: silent, warn: silent, error: silent, debug: silent };
  const refuse = (key, what) => {
    throw { name: 'ResultError', message: (key === '' ? 'the result is ' : "the result's member '" + key + "' is ") + what };
  };
  const check = (key, value) => {
    switch (typeof value) {
      case 'number': return isFinite(value) ? value : refuse(key, toText(value) + ', which JSON cannot hold');
      case 'function': return refuse(key, 'a function, which is not data');
      case 'symbol': return refuse(key, 'a symbol, which is not data');
      case 'bigint': return isSafeInteger(toNumber(value)) ? toNumber(value) : refuse(key, 'an integer too large for JSON');
      default: return value;
    }
  };
  const textOf = (value) => { try { return toText(value); } catch { return ''; } };
  return {
    enter(inputs, self, runtime, newSeed) {
      seed = newSeed | 0;
      globalThis.inputs = parse(inputs);
      globalThis.self = parse(self);
      globalThis.runtime = parse(runtime);
    },
    leave(value) {
      const text = stringify(value, check);
      return text === undefined ? 'null' : text;
    },
    explain(thrown) {
      const isObject = typeof thrown === 'object' && thrown !== null;
      const hasMessage = isObject && 'message' in thrown;
      return stringify({
        name: hasMessage ? textOf(thrown.name) : '',
        message: hasMessage ? textOf(thrown.message) : isObject ? stringify(thrown) : textOf(thrown),
        stack: hasMessage ? textOf(thrown.stack) : '',
      });
    },
  };
})()`;

export function libraryScript(library: string[]): string {
  return `"use strict";${library.join('\n')}`;
}

/** `code` with its outer bracket: "(…)" is an expression, "{…}" a function body. */
export function userScript(code: string): string {
  return code.startsWith('(') ? `"use strict";(function(){return (${code.slice(1, -1)}\n)})()` : `"use strict";(function()${code})()`;
}

/** Which library, and which of its lines, a line of `libraryScript` is. One-based. */
export function libraryLine(library: string[], line: number): { index: number; line: number } {
  let left = line;
  for (const [index, text] of library.entries()) {
    const lines = text.split('\n').length;
    if (left <= lines) return { index, line: left };
    left -= lines;
  }
  return { index: Math.max(0, library.length - 1), line: left };
}

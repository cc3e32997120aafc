/** The texts that the sandbox gives to the interpreter. User code begins on line 1 of its script, so that reported lines are the author's. */
import { MARKED } from './protocol.js';

/**
 * Runs once per memory image, before any user code, and keeps the built-ins it needs out of that code's reach.
 * Whole numbers that no number of JavaScript holds are BigInts on the way in and out, marked as libs/plan (json.ts) does it.
 * JSON.stringify takes them too. Math.random is replaced because a memory image would repeat its numbers; the host seeds it anew for every evaluation.
 */
export const HARNESS = `"use strict";
(() => {
  const { parse, stringify } = JSON;
  const { isSafeInteger, isFinite } = Number;
  const WrongType = TypeError, imul = Math.imul, toNumber = Number, toText = String;
  const { keys: keysOf, defineProperty: define } = Object;
  const toInteger = BigInt, tailOf = Function.prototype.call.bind(String.prototype.slice);
  const { isArray } = Array, callWith = Function.prototype.call.bind(Function.prototype.call);
  const Pattern = RegExp, replaceIn = Function.prototype.call.bind(String.prototype.replace);
  const LONG = 2n ** 63n;
  let exact = false;
  let seed = 0;
  Math.random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  // A BigInt is data here: it is written as its digits, where the built-in function throws a TypeError.
  JSON.stringify = function (value, replacer, space) {
    try {
      return stringify(value, replacer, space);
    } catch (error) {
      if (isArray(replacer) || !(error instanceof WrongType)) throw error;
    }
    const mark = 'L' + toText(seed >>> 0) + ':';
    const text = stringify(value, function (key, member) {
      const written = typeof replacer === 'function' ? callWith(replacer, this, key, member) : member;
      return typeof written === 'bigint' ? '\\0' + mark + toText(written) : written;
    }, space);
    return text === undefined ? text : replaceIn(text, new Pattern('"\\\\\\\\u0000' + mark + '(-?[0-9]+)"', 'g'), '$1');
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
      case 'bigint':
        if (isSafeInteger(toNumber(value))) return toNumber(value);
        if (value < -LONG || value >= LONG) refuse(key, 'an integer of more than 64 bits');
        exact = true;
        return 0;
      default: return value;
    }
  };
  const marking = (key, value) => {
    if (typeof value === 'bigint' && !isSafeInteger(toNumber(value))) return '\\0L' + toText(value);
    return typeof value === 'string' && value[0] === '\\0' ? '\\0' + value : check(key, value);
  };
  const unmarked = (value) => {
    if (typeof value === 'string' && value[0] === '\\0') {
      return value[1] === 'L' ? toInteger(tailOf(value, 2)) : tailOf(value, 1);
    }
    if (typeof value !== 'object' || value === null) return value;
    const keys = keysOf(value);
    for (let at = 0; at < keys.length; at += 1)
      define(value, keys[at], { value: unmarked(value[keys[at]]), enumerable: true, configurable: true, writable: true });
    return value;
  };
  const read = (text) => text[0] === '${MARKED}' ? unmarked(parse(text)) : parse(text);
  const textOf = (value) => { try { return toText(value); } catch { return ''; } };
  return {
    enter(inputs, self, runtime, newSeed) {
      seed = newSeed | 0;
      globalThis.inputs = read(inputs);
      globalThis.self = read(self);
      globalThis.runtime = read(runtime);
    },
    leave(value) {
      exact = false;
      const text = stringify(value, check);
      if (exact) return '${MARKED}' + stringify(value, marking);
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

/** Before every script. */
export const STRICT = '"use strict";';
/** What stands for the code's bracket, and what is before it. */
const BODY = `${STRICT}(function()`;
const VALUE = `${STRICT}(function(){return `;

export function libraryScript(library: string[]): string {
  return `${STRICT}${library.join('\n')}`;
}

/** `code` with its outer bracket: "(…)" is an expression, "{…}" a function body. */
export function userScript(code: string): string {
  return code.startsWith('(') ? `${VALUE}(${code.slice(1, -1)}\n)})()` : `${BODY}${code})()`;
}

/** The column of the code that a column of `userScript` is. One-based. */
export function codeColumn(code: string, line: number, column: number): number {
  return line > 1 ? column : Math.max(1, column - (code.startsWith('(') ? VALUE : BODY).length);
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

/**
 * Stand-ins for the ports of libs/tasks: an evaluator that runs JavaScript in this process (for tests only), files in memory that count every
 * look-up, and a collector over a working directory in memory.
 */
import { createHash } from 'node:crypto';
import { executor } from '@weft/contracts';
import type { ExpressionContext, ExpressionEvaluator } from '@weft/expressions';
import { ExpressionError } from '@weft/expressions';
import type { CommandLineTool, CwlValue } from '@weft/plan';
import { NO_REQUIREMENTS, readJson, writeJson } from '@weft/plan';
import type { FileAccess, OutputCollector, SandboxLayout, TaskRequest } from '../src/api.js';

/** Expressions with balanced brackets; no escapes. */
export const fakeEvaluator: ExpressionEvaluator = {
  evaluate(expression, context) {
    const text = expression.trim();
    const parts: CwlValue[] = [];
    let literal = '';
    let at = 0;
    while (at < text.length) {
      const open = text.startsWith('$(', at) ? ')' : text.startsWith('${', at) ? '}' : undefined;
      if (open === undefined) {
        literal += text.charAt(at++);
        continue;
      }
      const end = closing(text, at + 1, open);
      if (literal) parts.push(literal);
      literal = '';
      parts.push(run(text.slice(at, end + 1), context));
      at = end + 1;
    }
    if (literal) parts.push(literal);
    const [only = ''] = parts;
    return Promise.resolve(
      parts.length === 1 ? only : parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(''),
    );
  },
};

function closing(text: string, start: number, close: string): number {
  const open = close === ')' ? '(' : '{';
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text.charAt(i) === open) depth++;
    if (text.charAt(i) === close && --depth === 0) return i;
  }
  throw new ExpressionError('unbalanced', text);
}

function run(expression: string, context: ExpressionContext): CwlValue {
  const body = expression.startsWith('${') ? expression.slice(1) : `{return (${expression.slice(2, -1)});}`;
  const script = new Function('inputs', 'self', 'runtime', body) as (...given: unknown[]) => unknown;
  const { inputs, self, runtime } = structuredClone(context);
  try {
    const value = script(inputs, self, runtime);
    if (value === undefined) throw new Error('no value');
    return readJson(writeJson(value)) as CwlValue;
  } catch (error) {
    throw new ExpressionError(String(error), expression);
  }
}

export interface MemoryFiles extends FileAccess {
  /** Every look-up, e.g. "stat file:///data/a". */
  calls: string[];
}

/** Files by URI; directories exist where something lies below them. */
export function memoryFiles(files: Record<string, string>): MemoryFiles {
  const calls: string[] = [];
  const missing = (uri: string): Error => Object.assign(new Error(`${uri} does not exist`), { code: 'NOT_FOUND' });
  const below = (uri: string): string[] => Object.keys(files).filter((name) => name.startsWith(`${uri.replace(/\/$/, '')}/`));
  return {
    calls,
    stat(uri) {
      calls.push(`stat ${uri}`);
      const text = files[uri];
      if (text !== undefined) return Promise.resolve({ kind: 'file', size: Buffer.byteLength(text) });
      return below(uri).length > 0 ? Promise.resolve({ kind: 'directory', size: 0 }) : Promise.reject(missing(uri));
    },
    readText(uri) {
      calls.push(`read ${uri}`);
      const text = files[uri];
      return text === undefined ? Promise.reject(missing(uri)) : Promise.resolve(text);
    },
    list(uri) {
      calls.push(`list ${uri}`);
      const names = new Set(below(uri).map((name) => name.slice(uri.replace(/\/$/, '').length + 1).split('/')[0] ?? ''));
      if (names.size === 0) return Promise.reject(missing(uri));
      return Promise.resolve(
        [...names].sort().map((name) => {
          const full = `${uri.replace(/\/$/, '')}/${name}`;
          const text = files[full];
          return {
            name,
            uri: full,
            kind: text === undefined ? ('directory' as const) : ('file' as const),
            size: text === undefined ? 0 : Buffer.byteLength(text),
          };
        }),
      );
    },
  };
}

export interface MemoryCollector extends OutputCollector {
  calls: { items: executor.CollectItem[]; publish: boolean; release: boolean }[];
}

/** Publishes below `store:///`; a path with `{ input }` is (a link to) what was staged from that URI, an absolute one lies outside the manifest. */
export type LeftFiles = Record<string, string | { input: string; text: string } | null>;

/** Manifest of a working directory; null is an empty directory, parents are added. */
export function manifestOf(left: LeftFiles): executor.ManifestEntry[] {
  const entries = new Map<string, executor.ManifestEntry>();
  for (const [path, content] of Object.entries(left)) {
    if (path.startsWith('/')) continue;
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const directory = parts.slice(0, depth).join('/');
      entries.set(directory, { path: directory, kind: executor.EntryKind.DIRECTORY, size: 0, inputUri: '' });
    }
    const text = content === null ? undefined : typeof content === 'string' ? content : content.text;
    const inputUri = content !== null && typeof content === 'object' ? content.input : '';
    const kind = text === undefined ? executor.EntryKind.DIRECTORY : executor.EntryKind.FILE;
    entries.set(path, { path, kind, size: Buffer.byteLength(text ?? ''), inputUri });
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function memoryCollector(left: LeftFiles): MemoryCollector {
  const calls: MemoryCollector['calls'] = [];
  const entries = manifestOf(left);
  const collected = (path: string, item: executor.CollectItem): executor.CollectedFile => {
    const content = left[path];
    const text = content === null || content === undefined ? undefined : typeof content === 'string' ? content : content.text;
    const uri = !item.publish ? '' : content !== null && typeof content === 'object' ? content.input : `store:///${path}`;
    if (text !== undefined) {
      const checksum = item.checksum ? sha1(text) : '';
      return {
        path,
        kind: executor.EntryKind.FILE,
        size: Buffer.byteLength(text),
        checksum,
        uri,
        listing: [],
        ...(item.contents ? { contents: text } : {}),
      };
    }
    const prefix = path === '.' ? '' : `${path}/`;
    const children = entries.filter((entry) => entry.path.startsWith(prefix) && !entry.path.slice(prefix.length).includes('/'));
    return {
      path,
      kind: executor.EntryKind.DIRECTORY,
      size: 0,
      checksum: '',
      uri,
      listing: children.map((child) => collected(child.path, item)),
    };
  };
  return {
    calls,
    collect(items, options) {
      calls.push({ items, ...options });
      for (const { path } of items)
        if (path !== '.' && !(path in left) && !entries.some((entry) => entry.path === path))
          return Promise.reject(new Error(`NOT_FOUND ${path}`));
      return Promise.resolve(items.map((item) => collected(item.path, item)));
    },
  };
}

export function sha1(text: string): string {
  return `sha1$${createHash('sha1').update(text).digest('hex')}`;
}

export function finishedWith(left: LeftFiles, exitCode = 0): executor.Finished {
  return {
    outcome: executor.Outcome.EXITED,
    exitCode,
    failure: undefined,
    manifest: manifestOf(left),
    stderrTail: [],
    imageId: '',
    usage: undefined,
  };
}

export const LAYOUT: SandboxLayout = { workDir: '/work', tmpDir: '/scratch', inputDir: '/in' };

export function tool(part: Partial<CommandLineTool> = {}): CommandLineTool {
  return {
    class: 'CommandLineTool',
    id: 'tool',
    inputs: [],
    outputs: [],
    requirements: [],
    hints: [],
    declaredVersion: 'v1.2',
    baseCommand: [],
    arguments: [],
    successCodes: [],
    temporaryFailCodes: [],
    permanentFailCodes: [],
    ...part,
  };
}

export function request(part: Partial<CommandLineTool>, inputs: TaskRequest['inputs'] = {}, more: Partial<TaskRequest> = {}): TaskRequest {
  return { tool: tool(part), inputs, effective: NO_REQUIREMENTS, noContainer: false, ...more };
}

export const JAVASCRIPT = { class: 'InlineJavascriptRequirement', expressionLib: [] as string[] } as const;

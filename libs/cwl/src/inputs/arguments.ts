/**
 * Inputs on the command line: `--name value`, as the ecosystem's cwl-runner convention has it.
 * Values become what a job file would hold; `bindInputs` checks them.
 *
 *   --flag, --flag=false, --flag true        boolean
 *   --list a --list b, --list '["a", "b"]'   array
 *   --file x.fq                              File or Directory: a path or URI
 *   --record '{"a": 1}'                      record
 */
import { mapFiles, type CwlObject, type CwlType, type CwlValue, type InputParameter, type Plan, readForeignJson } from '@weft/plan';
import type { Diagnostic } from '../api.js';
import { typeName, withoutNull } from '../link/assignable.js';
import { exactOf, lostDigits, TOO_LONG_HINT, tooLongMessage } from '../source/exact-numbers.js';
import { nearestName } from '../source/nearest-name.js';
import { setOwn } from '../source/node.js';
import { locationToUri, pathToUri } from './file-values.js';

export interface ArgumentsResult {
  job: CwlObject;
  diagnostics: Diagnostic[];
}

const ABSENT = Symbol('absent');

/** What else is known of an option (`--name`) that is no input, as a hint. */
export type KnownElsewhere = (option: string) => string | undefined;

/** `cwdUri`: what relative paths refer to; a directory, ending in '/'. */
export function jobFromArguments(plan: Plan, argv: readonly string[], cwdUri: string, elsewhere?: KnownElsewhere): ArgumentsResult {
  return new ArgumentReader(plan.processes[plan.root]?.inputs ?? [], cwdUri, elsewhere).read(argv);
}

class ArgumentReader {
  private readonly job: CwlObject = {};
  private readonly diagnostics: Diagnostic[] = [];
  private readonly inputs: Map<string, InputParameter>;

  constructor(
    inputs: InputParameter[],
    private readonly cwdUri: string,
    private readonly elsewhere: KnownElsewhere = () => undefined,
  ) {
    this.inputs = new Map(inputs.map((input) => [input.name, input]));
  }

  read(argv: readonly string[]): ArgumentsResult {
    for (let at = 0; at < argv.length; at += 1) {
      const argument = argv[at] ?? '';
      const option = /^--?([^=]+)(?:=([^]*))?$/.exec(argument);
      if (!option?.[1]) {
        this.error('unexpected-argument', `'${argument}' belongs to no option`, 'inputs are given as --name value');
        continue;
      }
      at += this.option(option[1], option[2], argv[at + 1]);
    }
    return { job: this.job, diagnostics: this.diagnostics };
  }

  /** How many further arguments were used up. */
  private option(name: string, attached: string | undefined, next: string | undefined): number {
    const input = this.inputs.get(name);
    if (!input) {
      const near = nearestName(name, this.inputs.keys());
      const hint =
        this.elsewhere(`--${name}`) ??
        (near !== undefined
          ? `did you mean '--${near}'?`
          : this.inputs.size === 0
            ? 'it has no inputs'
            : `inputs: ${[...this.inputs.keys()].join(', ')}`);
      this.error('unknown-option', `there is no input '${name}'`, hint);
      return attached === undefined && next !== undefined && !next.startsWith('--') ? 1 : 0;
    }
    const follows = next !== undefined && !this.isOption(next) ? next : undefined;
    if (isBoolean(input.type)) {
      const text = attached ?? (follows === 'true' || follows === 'false' ? follows : undefined);
      this.set(input, text ?? 'true');
      return attached === undefined && text !== undefined ? 1 : 0;
    }
    const text = attached ?? follows;
    if (text === undefined) this.error('missing-value', `--${name} needs a value (${typeName(input.type)})`);
    else this.set(input, text);
    return attached === undefined && follows !== undefined ? 1 : 0;
  }

  private isOption(text: string): boolean {
    const name = /^--([^=]+)/.exec(text)?.[1];
    return name !== undefined && this.inputs.has(name);
  }

  private set(input: InputParameter, text: string): void {
    const value = this.convert(text, input.type);
    const before = this.job[input.name];
    if (value === ABSENT) {
      this.error('input-type', `--${input.name} must be ${typeName(input.type)}; it is '${text}'`, hintFor(input.type));
    } else if (before === undefined) setOwn<CwlValue | undefined>(this.job, input.name, value);
    else if (Array.isArray(before) && Array.isArray(value)) for (const item of value) before.push(item);
    else this.error('repeated-option', `--${input.name} is given twice; it takes one value (${typeName(input.type)})`);
  }

  private convert(text: string, type: CwlType): CwlValue | typeof ABSENT {
    if (Array.isArray(type)) {
      for (const member of type.filter((candidate) => candidate !== 'null')) {
        const value = this.convert(text, member);
        if (value !== ABSENT) return value;
      }
      return type.includes('null') && text === 'null' ? null : ABSENT;
    }
    if (typeof type === 'string') return this.convertNamed(text, type);
    if (type.type === 'enum') return type.symbols.includes(text) ? text : ABSENT;
    const json = this.parseJson(text);
    if (type.type === 'record') return typeof json === 'object' && json !== null && !Array.isArray(json) ? json : ABSENT;
    if (Array.isArray(json)) return json;
    const item = this.convert(text, type.items);
    return item === ABSENT ? ABSENT : [item];
  }

  private wholeNumber(text: string): number | bigint {
    const value = Number(text);
    const digits = /^[+-]?\d{401,}$/.test(text) ? text : lostDigits(text, value);
    const exact = digits === undefined ? value : exactOf(digits);
    if (exact === undefined) this.error('inexact-number', tooLongMessage(digits ?? ''), TOO_LONG_HINT);
    return exact ?? value;
  }

  private convertNamed(text: string, type: string): CwlValue | typeof ABSENT {
    switch (type) {
      case 'string':
        return text;
      case 'boolean':
        return text === 'true' ? true : text === 'false' ? false : ABSENT;
      case 'int':
      case 'long':
        return /^[+-]?\d+$/.test(text) ? this.wholeNumber(text) : ABSENT;
      case 'float':
      case 'double':
        return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : ABSENT;
      case 'File':
      case 'Directory':
        return text === '' ? ABSENT : { class: type, location: pathToUri(text, this.cwdUri) };
      case 'Any': {
        const json = this.parseJson(text);
        return json === ABSENT || json === null ? text : json;
      }
      default:
        return ABSENT;
    }
  }

  /** Files in it refer to the working directory. */
  private parseJson(text: string): CwlValue | typeof ABSENT {
    try {
      return mapFiles(readForeignJson(text) as CwlValue, (file) => {
        const { path, ...rest } = file;
        if (file.location !== undefined) return { ...file, location: locationToUri(file.location, this.cwdUri) };
        return path === undefined ? file : { ...rest, location: pathToUri(path, this.cwdUri) };
      });
    } catch {
      return ABSENT;
    }
  }

  private error(code: string, message: string, hint?: string): void {
    this.diagnostics.push({
      severity: 'error',
      code,
      message,
      file: 'command line',
      line: 0,
      column: 0,
      ...(hint !== undefined && { hint }),
    });
  }
}

function isBoolean(type: CwlType): boolean {
  return withoutNull(type) === 'boolean';
}

function hintFor(type: CwlType): string | undefined {
  const bare = withoutNull(type);
  return typeof bare === 'object' && !Array.isArray(bare) && bare.type === 'record'
    ? `write a JSON object: '{"${bare.fields[0]?.name ?? 'name'}": …}'`
    : undefined;
}

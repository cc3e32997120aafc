/**
 * The arguments of `weft run` in front of the document, before they are parsed: options of other runners are passed over, renamed or refused.
 * From the document on, options are its inputs (or weft's), and nothing is touched.
 */
import { nearestName } from '@weft/cwl/nearest-name';
import { CommandError } from '../errors.js';
import { foreignOption } from './foreign-options.js';

/** Weft's own options, and whether each takes a value. */
export type KnownOptions = ReadonlyMap<string, boolean>;

export interface RunArguments {
  args: string[];
  /** Sentences about what was passed over. */
  told: string[];
  /** Words of the command that is called in place of `run`. */
  command?: string[];
}

/** @throws CommandError at an option that is refused, or that nobody knows */
export function ownArguments(args: readonly string[], known: KnownOptions): RunArguments {
  const own: string[] = [];
  const told: string[] = [];
  let command: string[] | undefined;
  let at = 0;
  for (; at < args.length; at += 1) {
    const argument = args[at] ?? '';
    if (!argument.startsWith('-') || argument === '-' || argument === '--') break;
    const { option, attached } = split(argument, known);
    const next = args[at + 1];
    // Elsewhere it is a switch; what is no number is the document.
    if (option === '--parallel' && attached === undefined && !/^\d+$/.test(next ?? '')) continue;
    const takes = known.get(option);
    if (takes !== undefined) {
      own.push(argument);
      if (takes && attached === undefined && next !== undefined) own.push(args[(at += 1)] ?? '');
      continue;
    }
    const foreign = foreignOption(option);
    if (foreign === undefined) throw unknownOption(option, known);
    if (foreign.kind === 'instead') throw new CommandError(`${option}: ${foreign.text}`);
    if (foreign.kind === 'command') command = foreign.words;
    if (foreign.kind === 'told') told.push(`${option}: ${foreign.text}`);
    const value = foreign.value ? (attached ?? args[(at += 1)]) : undefined;
    if (foreign.kind !== 'as') continue;
    own.push(foreign.option);
    if (foreign.told !== undefined) told.push(`${option}: ${foreign.told}`);
    else if (value !== undefined) own.push(value);
  }
  const document = args.slice(at);
  // What is called has other options than `run`, and no job.
  if (command !== undefined)
    return { args: [...command, ...(document[0] === '--' ? document.slice(0, 2) : document.slice(0, 1))], told, command };
  return { args: [...own, ...document], told };
}

/** `--name=value`, and the letters that stand for a name with what follows them. */
function split(argument: string, known: KnownOptions): { option: string; attached?: string } {
  const [, option = argument, attached] = /^(--[^=]+)=([^]*)$/.exec(argument) ?? [];
  if (attached !== undefined || argument.startsWith('--')) return { option, attached };
  const letter = argument.slice(0, 2);
  if (argument.length > 2 && (known.has(letter) || foreignOption(letter))) return { option: letter, attached: argument.slice(2) };
  return { option: argument };
}

function unknownOption(option: string, known: KnownOptions): CommandError {
  const near = nearestName(
    option,
    [...known.keys()].filter((name) => name.startsWith('--')),
  );
  const advice =
    near === undefined ? ': `weft run --help` lists what there is; inputs of the document stand behind it' : `; did you mean '${near}'?`;
  return new CommandError(`weft run has no option '${option}'${advice}`);
}

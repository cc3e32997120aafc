/**
 * What an exit code means for a tool, and in words.
 * Source: CWL v1.2 CommandLineTool §5 (successCodes, temporaryFailCodes, permanentFailCodes): listed codes first, else 0 is success.
 */
import { constants } from 'node:os';
import type { CommandLineTool } from '@weft/plan';

export type ExitClass = 'success' | 'temporary' | 'permanent';

export function classifyExit(
  tool: Pick<CommandLineTool, 'successCodes' | 'temporaryFailCodes' | 'permanentFailCodes'>,
  exitCode: number,
): ExitClass {
  if (tool.successCodes.includes(exitCode)) return 'success';
  if (tool.temporaryFailCodes.includes(exitCode)) return 'temporary';
  if (tool.permanentFailCodes.includes(exitCode)) return 'permanent';
  return exitCode === 0 ? 'success' : 'permanent';
}

/** Codes above this are 128 and the number of the signal that ended the process: shells and container engines agree on it. */
const SIGNAL_BASE = 128;

const NAMES: ReadonlyMap<number, string> = new Map(
  // Of two names for one number the first is the usual one.
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** What people most often ask about each. */
const MEANING: Readonly<Record<string, string>> = {
  SIGSEGV: 'it accessed memory that is not its own',
  SIGBUS: 'it accessed memory that is not there',
  SIGABRT: 'it gave up by itself',
  SIGFPE: 'an arithmetic fault',
  SIGILL: 'an instruction that this processor does not have; often a program built for another one',
  SIGKILL: 'weft did not do that; often it is the system, which has run out of memory: give the tool more with ramMin',
  SIGTERM: 'somebody asked it to end; weft did not',
  SIGXFSZ: 'a file grew over the limit for its size',
  SIGXCPU: 'it used up its limit of processor time',
};

/** "the tool exited with code 139 (SIGSEGV: it accessed memory that is not its own)". */
export function describeExit(exitCode: number): string {
  const text = `the tool exited with code ${exitCode}`;
  const signal = NAMES.get(exitCode - SIGNAL_BASE);
  if (signal === undefined) return text;
  const meaning = MEANING[signal];
  return `${text} (${signal}${meaning === undefined ? '' : `: ${meaning}`})`;
}

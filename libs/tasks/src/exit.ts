/**
 * What an exit code means for a tool.
 * Source: CWL v1.2 CommandLineTool §5 (successCodes, temporaryFailCodes, permanentFailCodes): listed codes first, else 0 is success.
 */
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

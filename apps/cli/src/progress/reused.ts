/** Undefined where all was executed. @param reused tasks that have the results of earlier ones @param succeeded these among them */
export function reusedLine(reused: number, succeeded: number): string | undefined {
  if (reused === 0) return undefined;
  const which = succeeded === 1 ? 'the task was not executed: it has' : `${reused} of ${succeeded} tasks were not executed: they have`;
  return `${which} the results of earlier ones (--cache, or WEFT_CALL_CACHE=on); weft run --no-cache executes everything`;
}

/** Tells JavaScript from parameter references without evaluating either. Source: CWL v1.2 CommandLineTool §3.5. */

/** `$(inputs.x["y"][0])`, from its `$`: then no JavaScript is needed. */
const PARAMETER_REFERENCE = /\$\([\p{L}\p{N}_]+(?:\.[\p{L}\p{N}_]+|\['(?:[^'\\]|\\[^])+'\]|\["(?:[^"\\]|\\[^])+"\]|\[[0-9]+\])*\)/uy;

/** True where some expression in the text is more than a parameter reference. `declaredVersion` decides what a backslash protects. */
export function usesJavascript(text: string, declaredVersion: string): boolean {
  const skips = declaredVersion === 'v1.0' || declaredVersion === 'v1.1';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') {
      const protectsExpression = text[at + 1] === '$' && (text[at + 2] === '(' || text[at + 2] === '{');
      at += protectsExpression && !skips ? 2 : 1;
    } else if (text[at] === '$' && text[at + 1] === '{') return true;
    else if (text[at] === '$' && text[at + 1] === '(') {
      PARAMETER_REFERENCE.lastIndex = at;
      const reference = PARAMETER_REFERENCE.exec(text)?.[0];
      if (reference === undefined) return true;
      at += reference.length - 1;
    }
  }
  return false;
}

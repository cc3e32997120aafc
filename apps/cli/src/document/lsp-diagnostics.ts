/** Diagnostics as editors take them: the Diagnostic of the Language Server Protocol 3.17, and the document it belongs to. Pure. */
import type { Diagnostic } from '@weft/cwl';

export interface LspPosition {
  /** Zero-based. */
  line: number;
  /** Zero-based, UTF-16 code units. */
  character: number;
}

export interface LspDiagnostic {
  uri: string;
  range: { start: LspPosition; end: LspPosition };
  /** 1 error, 2 warning, 3 information. */
  severity: 1 | 2 | 3;
  code: string;
  source: 'weft';
  message: string;
}

const SEVERITY = { error: 1, warning: 2, note: 3 } as const;

/** A place that is not known is the beginning of the document; a mistake without an end is as long as nothing. */
export function toLsp({ severity, code, message, hint, file, line, column, endLine, endColumn }: Diagnostic): LspDiagnostic {
  const start = { line: Math.max(0, line - 1), character: Math.max(0, column - 1) };
  const end = line > 0 && endLine !== undefined && endColumn !== undefined ? { line: endLine - 1, character: endColumn - 1 } : start;
  const text = hint === undefined ? message : `${message}; ${hint}`;
  return { uri: file, range: { start, end }, severity: SEVERITY[severity], code, source: 'weft', message: text };
}

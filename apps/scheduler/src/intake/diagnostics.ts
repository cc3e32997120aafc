/** What is wrong with a document or a job, as the contract has it. */
import { run as pb } from '@weft/contracts';
import type { Diagnostic } from '@weft/cwl';

const SEVERITY: Record<Diagnostic['severity'], pb.Severity> = {
  error: pb.Severity.ERROR,
  warning: pb.Severity.WARNING,
  note: pb.Severity.NOTE,
};

export function toDiagnostic(diagnostic: Diagnostic): pb.Diagnostic {
  return {
    severity: SEVERITY[diagnostic.severity],
    code: diagnostic.code,
    message: diagnostic.message,
    file: diagnostic.file,
    line: diagnostic.line,
    column: diagnostic.column,
    endLine: diagnostic.endLine ?? 0,
    endColumn: diagnostic.endColumn ?? 0,
    hint: diagnostic.hint ?? '',
  };
}

/**
 * What a client sent as its workflow → the DocumentBundle the scheduler loads.
 *
 * Invariants: only what is plainly no document is refused here (nothing but comments, a lone word); every other mistake is the
 * scheduler's to diagnose, at its line and column.
 */
import { writeJson } from '@weft/plan';
import { run } from '@weft/contracts';
import { ServiceError } from '@weft/platform';

/** The name under which diagnostics of an inline document appear. */
const INLINE_URI = 'inline:///workflow.cwl';

/** @throws ServiceError INVALID_ARGUMENT naming `field` where the text cannot be a CWL document. */
export function inlineBundle(field: string, document: string | object): run.DocumentBundle {
  const text = typeof document === 'string' ? document : writeJson(document, 2);
  refuseNonDocument(field, text);
  return { rootUri: INLINE_URI, files: { [INLINE_URI]: text } };
}

/** @throws ServiceError INVALID_ARGUMENT where the root document is not among the files. */
export function checkedBundle(field: string, bundle: run.DocumentBundle): run.DocumentBundle {
  const root = bundle.rootUri.split('#')[0] ?? '';
  const text = bundle.files[root];
  if (text === undefined) {
    const known = Object.keys(bundle.files);
    throw invalid(
      `${field}: root_uri '${bundle.rootUri}' is none of the files (${known.length > 0 ? known.join(', ') : 'there are none'})`,
    );
  }
  refuseNonDocument(field, text);
  return bundle;
}

function refuseNonDocument(field: string, text: string): void {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && line !== '---');
  if (lines.length === 0) {
    const what = text.trim() === '' ? 'is empty' : 'holds only comments';
    throw invalid(`${field} ${what}: expected a CWL document with cwlVersion and class`);
  }
  const [first = ''] = lines;
  if (lines.length === 1 && !/[:{]/.test(first)) {
    throw invalid(`${field} is the text '${first.slice(0, 80)}', not a CWL document with cwlVersion and class`);
  }
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', message);
}

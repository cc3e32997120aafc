/**
 * What a client sent as its workflow → the DocumentBundle the scheduler loads.
 *
 * Invariants: only what is plainly no document is refused here (nothing but comments, a lone word); every other mistake is the
 * scheduler's to diagnose, at its line and column.
 */
import { run } from '@weft/contracts';
import { ServiceError } from '@weft/platform';

/** Characters of a line that are looked at; no lone word has more. */
const MAX_LINE = 10_000;
/** Files that a message names. */
const MAX_NAMED = 10;

/** The name under which diagnostics of an inline document appear. */
const INLINE_URI = 'inline:///workflow.cwl';

/** @throws ServiceError INVALID_ARGUMENT naming `field` where the text cannot be a CWL document. */
export function inlineBundle(field: string, text: string): run.DocumentBundle {
  refuseNonDocument(field, text);
  return { rootUri: INLINE_URI, files: { [INLINE_URI]: text } };
}

/** @throws ServiceError INVALID_ARGUMENT where the root document is not among the files. */
export function checkedBundle(field: string, bundle: run.DocumentBundle): run.DocumentBundle {
  const root = bundle.rootUri.split('#')[0] ?? '';
  const text = bundle.files[root];
  if (text === undefined) {
    const names = Object.keys(bundle.files);
    const known = names.length > MAX_NAMED ? [...names.slice(0, MAX_NAMED), `${names.length - MAX_NAMED} more`] : names;
    throw invalid(
      `${field}: root_uri '${bundle.rootUri}' is none of the files (${known.length > 0 ? known.join(', ') : 'there are none'})`,
    );
  }
  refuseNonDocument(field, text);
  return bundle;
}

function refuseNonDocument(field: string, text: string): void {
  const lines = firstLines(text, 2);
  if (lines.length === 0) {
    const what = text.trim() === '' ? 'is empty' : 'holds only comments';
    throw invalid(`${field} ${what}: expected a CWL document with cwlVersion and class`);
  }
  const [first = ''] = lines;
  if (lines.length === 1 && !/[:{]/.test(first)) {
    throw invalid(`${field} is the text '${first.slice(0, 80)}', not a CWL document with cwlVersion and class`);
  }
}

/** The first lines that say something, shortened. A long text is not taken apart for them. */
function firstLines(text: string, count: number): string[] {
  const found: string[] = [];
  const solid = /\S/g;
  for (let start = solid.exec(text)?.index; start !== undefined && found.length < count; start = solid.exec(text)?.index) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, Math.min(end, start + MAX_LINE)).trimEnd();
    if (!line.startsWith('#') && line !== '---') found.push(line);
    solid.lastIndex = end;
  }
  return found;
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', message);
}

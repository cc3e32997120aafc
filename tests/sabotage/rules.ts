/**
 * The rules that a document states, by section: the first cell of each row of its tables, and what stands in bold at the beginning of a list's item.
 * Pure.
 */
export interface Rule {
  section: string;
  rule: string;
}

/** Between the head of a table and its rows. */
const SEPARATOR = /^\|[\s:|-]+\|$/;

export function rulesOf(markdown: string): Rule[] {
  const found: Rule[] = [];
  let section = '';
  let isFenced = false;
  const lines = markdown.split('\n');
  for (const [at, line] of lines.entries()) {
    if (/^(```|~~~)/.test(line)) isFenced = !isFenced;
    if (isFenced) continue;
    section = /^###? (.*)$/.exec(line)?.[1] ?? section;
    const isRow = !SEPARATOR.test(line) && !SEPARATOR.test(lines[at + 1] ?? '');
    const rule = (!isRow ? undefined : /^\| (.*?) +\| /.exec(line)?.[1]) ?? /^- \*\*(.+?)\*\*/.exec(line)?.[1];
    if (rule !== undefined) found.push({ section, rule: rule.replace(/[.:]$/, '') });
  }
  return found;
}

export function keyOf({ section, rule }: Rule): string {
  return `${section}: ${rule}`;
}

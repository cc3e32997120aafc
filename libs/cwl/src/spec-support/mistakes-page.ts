/** For mistakes.spec.ts: docs/mistakes.md, made from the documents and what is said about them. */
import { DOCUMENTS } from './mistaken-documents.js';
import { JOB_DOCUMENT, JOBS } from './mistaken-jobs.js';

export interface ExpectedMessages {
  /** Name → lines of `code | file:line:column: severity: message`. */
  documents: Readonly<Record<string, readonly string[]>>;
  jobs: Readonly<Record<string, string>>;
}

const MAX_EXCERPT = 90;

export function mistakesPage({ documents, jobs }: ExpectedMessages): string {
  const rows = Object.entries(documents).map(([name, lines]) => row(name, lines, filesOf(DOCUMENTS[name] ?? '')));
  const jobRows = Object.entries(jobs).map(([name, line]) => row(name, [line], { 'job.yml': JOBS[name] ?? '' }));
  return `# Mistakes, and what is said about them

One mistake gives one message, at \`file:line:column\`, with what is wrong and, where there is one, the nearest name that is right. All mistakes of a
document are told in one pass. \`weft validate\` prints them, \`--json\` gives them as data; the code in front is stable.

This page is made from the tests: \`WEFT_UPDATE_DOCS=1\` with \`libs/cwl/src/mistakes.spec.ts\` writes it, and that spec fails when it is out of date.

## In documents

${table(rows)}
## In job files

The jobs are for this tool:

<!-- prettier-ignore -->
\`\`\`yaml
${JOB_DOCUMENT}\`\`\`

${table(jobRows)}`;
}

function table(rows: readonly string[]): string {
  return `<!-- prettier-ignore -->\n| mistake | written | what is said | code |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function filesOf(document: string | Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return typeof document === 'string' ? { 'main.cwl': document } : document;
}

function row(name: string, lines: readonly string[], files: Readonly<Record<string, string>>): string {
  const parts = lines.map((line) => {
    const [code = '', message = ''] = splitOnce(line, ' | ');
    return { code, message, excerpt: excerptOf(message, files) };
  });
  const cell = (texts: readonly string[]): string =>
    [...new Set(texts)]
      .filter((t) => t !== '')
      .map(codeSpan)
      .join('<br>');
  const [written, messages, codes] = [parts.map((p) => p.excerpt), parts.map((p) => p.message), parts.map((p) => p.code)];
  return `| ${name.replace(/\|/g, '\\|')} | ${cell(written)} | ${cell(messages)} | ${cell(codes)} |`;
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return [text.slice(0, at), text.slice(at + by.length)];
}

/** The line that the message points at, cut to what stands around the column. */
function excerptOf(message: string, files: Readonly<Record<string, string>>): string {
  const [, file = '', line = '0', column = '0'] = /^([^:]+):(\d+):(\d+):/.exec(message) ?? [];
  const text = (files[file] ?? '').split('\n')[Number(line) - 1] ?? '';
  if (text.trim().length <= MAX_EXCERPT) return text.trim();
  const start = Math.max(0, Number(column) - 1 - MAX_EXCERPT / 2);
  const cut = text.slice(start, start + MAX_EXCERPT);
  return `${start > 0 ? '…' : ''}${cut.trim()}${start + MAX_EXCERPT < text.length ? '…' : ''}`;
}

/** Backticks in the text would end the span. */
function codeSpan(text: string): string {
  return `\`${text.replace(/`/g, "'").replace(/\t/g, '→').replace(/\|/g, '\\|')}\``;
}

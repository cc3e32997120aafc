/**
 * What others wrote (tools, documents, submitters), as a terminal may show it: nothing of it moves the cursor, erases what stands there, sets the
 * window's title or looks like a line of ours.
 */

const COLOUR = /\u001b\[[0-9;]*m/g;
const RESET = '\u001b[0m';

/** With every character that a terminal takes for a command made visible, but tabs and ends of lines. */
export function shownText(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => (char === '\n' || char === '\t' ? char : visible(char)));
}

/** The same, in one line. */
export function shownLine(text: string): string {
  return text.replace(/\p{Cc}/gu, visible);
}

/** A line of a tool's log: its colours stay, and end with it. What a carriage return would overwrite is left out, as on a terminal. */
export function shownLogLine(line: string): string {
  let end = line.length;
  while (line[end - 1] === '\r') end -= 1;
  const written = line.slice(0, end);
  const last = written.slice(written.lastIndexOf('\r') + 1);
  const colours = last.match(COLOUR) ?? [];
  if (colours.length === 0) return shownText(last);
  const between = last.split(COLOUR).map(shownText);
  return between.map((part, n) => part + (colours[n] ?? '')).join('') + RESET;
}

/** Control pictures where there is one (␛ for escape), else the code. */
function visible(char: string): string {
  const code = char.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : `\\x${code.toString(16)}`;
}

/** Quoting for POSIX shells. Property: `/bin/sh` splits the joined words back into exactly the same arguments. */

const SAFE = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word; a text of harmless characters is left as it is. */
export function shellQuote(text: string): string {
  return SAFE.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

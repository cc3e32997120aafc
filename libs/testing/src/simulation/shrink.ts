/**
 * Which troubles a broken history can do without.
 *
 * Invariant: what is left breaks the same property. A history without a trouble is another one, though: the choices after it are other choices.
 */

/** @param breaks whether a history without these still breaks the property */
export async function shrink(
  troubles: readonly string[],
  breaks: (without: ReadonlySet<string>) => Promise<boolean>,
): Promise<Set<string>> {
  const without = new Set<string>();
  for (const trouble of troubles) {
    if (await breaks(new Set([...without, trouble]))) without.add(trouble);
  }
  return without;
}

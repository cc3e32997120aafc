// What two engines may say differently of the same outputs, taken away; the rest must be equal.
//
// Names that an engine makes up, places, the order of listings and of secondary files, and null against absent are not compared.

/** Where two values in normal form differ first, and what is there; undefined: nowhere. */
export function difference(a, b, at = 'outputs') {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b))
    return `${at}: ${JSON.stringify(a)} / ${JSON.stringify(b)}`;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[key], b[key], `${at}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function normal(value) {
  if (Array.isArray(value)) return value.map(normal);
  if (value === null || typeof value !== 'object') return value;
  if (value.class === 'File' || value.class === 'Directory') return normalFile(value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, of]) => of !== null && of !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, of]) => [key, normal(of)]),
  );
}

function normalFile({ class: kind, basename, size, checksum, format, contents, secondaryFiles = [], listing }) {
  const made = /^[0-9a-f-]{30,}|^[\w]{8}$|^work$/;
  const sorted = (files) => files.map(normal).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return {
    kind,
    basename: made.test(basename ?? '') ? '(made up)' : basename,
    ...(kind === 'File' ? { size, checksum } : {}),
    ...(format === undefined ? {} : { format }),
    ...(contents === undefined || contents === null ? {} : { contents }),
    ...(secondaryFiles.length > 0 ? { secondaryFiles: sorted(secondaryFiles) } : {}),
    ...(listing === undefined || listing === null ? {} : { listing: sorted(listing) }),
  };
}

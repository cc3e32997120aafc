/** data: URIs (RFC 2397) → their bytes. */
import { StorageError } from './ports.js';

export function isDataUri(uri: string): boolean {
  return /^data:/i.test(uri);
}

/** @throws StorageError UNSUPPORTED where the URI has no comma or wrong percent-encoding. */
export function decodeDataUri(uri: string): Buffer {
  const comma = uri.indexOf(',');
  const shown = uri.length > 60 ? `${uri.slice(0, 60)}…` : uri;
  if (!isDataUri(uri) || comma < 0) throw new StorageError('UNSUPPORTED', `'${shown}' is not a data: URI`, shown);
  const payload = uri.slice(comma + 1);
  const base64 = /;\s*base64\s*$/i.test(uri.slice(0, comma));
  try {
    return base64 ? Buffer.from(decodeURIComponent(payload), 'base64') : percentDecode(payload);
  } catch {
    throw new StorageError('UNSUPPORTED', `'${shown}' is wrongly percent-encoded`, shown);
  }
}

/** Bytes, not characters: `%FF` is one byte that no UTF-8 text holds. */
function percentDecode(text: string): Buffer {
  const parts: Buffer[] = [];
  for (const piece of text.split(/(%[0-9a-f]{2})/i)) {
    if (/^%[0-9a-f]{2}$/i.test(piece)) parts.push(Buffer.from(piece.slice(1), 'hex'));
    else if (piece.includes('%')) throw new URIError('malformed escape');
    else parts.push(Buffer.from(piece));
  }
  return Buffer.concat(parts);
}

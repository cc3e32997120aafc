/** URIs as text, whatever their scheme. */
import { StorageError } from './ports.js';

/** Lower case, without the colon; '' where there is none. */
export function schemeOf(uri: string): string {
  return /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase() ?? '';
}

export function withSlash(uri: string): string {
  return uri.endsWith('/') ? uri : `${uri}/`;
}

/** @throws StorageError UNSUPPORTED where `to` is `from`, or lies below it: what is copied would grow while it is copied. */
export function refuseInto(from: string, to: string): void {
  if (withSlash(to).startsWith(withSlash(from))) throw new StorageError('UNSUPPORTED', `${from} cannot go into itself, to ${to}`, from);
}

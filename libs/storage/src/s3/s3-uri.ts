/**
 * s3://bucket/key ↔ bucket and key. Keys are percent-encoded as paths of URLs are: any key goes through, '#' and '?' are written %23 and %3F.
 * Pure.
 */
import { StorageError } from '../ports.js';

export interface S3Place {
  bucket: string;
  /** Decoded; '' for the bucket itself; ends in '/' where the URI does. */
  key: string;
}

/** @throws StorageError UNSUPPORTED */
export function parseS3Uri(uri: string): S3Place {
  const refuse = (why: string): StorageError => new StorageError('UNSUPPORTED', `'${uri}' is not a usable s3: URI: ${why}`, uri);
  const match = /^s3:\/\/([^/?#]*)(?:\/([^?#]*))?$/is.exec(uri);
  if (match === null) throw refuse("s3://bucket/key is, with '#' and '?' in a key written %23 and %3F");
  const [, bucket = '', encoded = ''] = match;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/.test(bucket)) throw refuse(`'${bucket}' is no name of a bucket`);
  try {
    return { bucket, key: decodeURIComponent(encoded) };
  } catch {
    throw refuse('it is wrongly percent-encoded');
  }
}

export function s3Uri(bucket: string, key: string): string {
  return `s3://${bucket}/${encodeKey(key)}`;
}

/** As a path of a URL, and as CopyObject's source. */
export function encodeKey(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}

/** Keys as `EncodingType: url` writes them: some servers write '+' for a space, and all write a plus as %2B. */
export function decodeListedKey(key: string, encodingType: string | undefined): string {
  return encodingType === 'url' ? decodeURIComponent(key.replaceAll('+', '%20')) : key;
}

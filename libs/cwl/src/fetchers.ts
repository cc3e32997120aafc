/**
 * Fetchers around other fetchers: one that writes down what it read, so that a document can be sent whole to a service that cannot
 * reach the author's files, and one that serves from such a record.
 */
import type { Fetcher } from './api.js';
import type { DocumentPart } from './select-part.js';
import { setOwn } from './source/node.js';

/** Text of the root document and of everything it reads, by absolute URI without fragment (weft.run.v1.DocumentBundle). */
export interface DocumentBundle {
  rootUri: string;
  files: Record<string, string>;
  part?: DocumentPart;
}

export function recordingFetcher(fetcher: Fetcher): Fetcher & { readonly files: Record<string, string> } {
  const files: Record<string, string> = {};
  return {
    files,
    async fetch(uri: string): Promise<string> {
      const text = await fetcher.fetch(uri);
      setOwn(files, uri, text);
      return text;
    },
  };
}

export function bundleFetcher(files: Readonly<Record<string, string>>): Fetcher {
  return {
    fetch(uri: string): Promise<string> {
      const text = Object.hasOwn(files, uri) ? files[uri] : undefined;
      return text === undefined ? Promise.reject(new Error(`'${uri}' is not in the bundle that was sent`)) : Promise.resolve(text);
    },
  };
}

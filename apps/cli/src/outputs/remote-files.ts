/** Outputs that were published to another host's storage, brought here. What that takes is loaded when the first one is met. */
import type { StorageRouter } from '@weft/storage';

const REMOTE = /^(s3|https?):/i;

export function isRemote(location: string): boolean {
  return REMOTE.test(location);
}

export class RemoteFiles {
  private storage: Promise<StorageRouter> | undefined;

  /**
   * Answers with its checksum ("sha1$<hex>").
   * @param path where nothing lies yet @throws StorageError, also where it has not the checksum that is given
   */
  async fetch(uri: string, path: string, checksum: string | undefined, signal: AbortSignal): Promise<string> {
    const { downloadFile } = await import('@weft/storage');
    const { sha1 } = await downloadFile(await this.opened(), uri, path, { signal, checksum });
    return `sha1$${sha1}`;
  }

  async list(uri: string): Promise<{ name: string; uri: string; kind: 'file' | 'directory' }[]> {
    return (await this.opened()).list(uri);
  }

  async close(): Promise<void> {
    await (await this.storage)?.close();
  }

  private opened(): Promise<StorageRouter> {
    this.storage ??= open();
    return this.storage;
  }
}

async function open(): Promise<StorageRouter> {
  const [{ createStorage, storageOptionsOf, storageVariables }, { z }] = await Promise.all([import('@weft/storage'), import('zod')]);
  const { s3 } = storageOptionsOf(z.object(storageVariables).parse(process.env), 'file:///');
  // It is the user's own machine that asks.
  return createStorage({ s3, http: { allowPrivate: true } });
}

/** Waits that end, and then say what they were for. */

export class TooLong extends Error {
  override readonly name = 'TooLong';
}

/** What `work` comes to; rejects with TooLong after `limitMs`. `what`: completes "waited for". */
export async function within<T>(limitMs: number, what: string | (() => string), work: Promise<T>): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const tell = (): void => reject(new TooLong(`waited ${limitMs / 1000} s for ${typeof what === 'string' ? what : what()}`));
    limit = setTimeout(tell, limitMs);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(limit);
  }
}

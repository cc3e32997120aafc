/** What weft's processes left in the temporary directory when they were killed goes at the start of a scheduler, and once an hour. */
import { tmpdir } from 'node:os';
import type { Logger } from '@weft/platform';
import { removeAbandoned } from '@weft/storage';

const EVERY_MS = 3_600_000;

export function tidyTemporaries(logger: Logger): { stop(): void } {
  const tidy = async (): Promise<void> => {
    const removed = await removeAbandoned(tmpdir());
    if (removed.length > 0) logger.info({ removed: removed.length }, 'removed what processes that are gone had left');
  };
  void tidy();
  const timer = setInterval(() => void tidy(), EVERY_MS).unref();
  return { stop: () => clearInterval(timer) };
}

/**
 * What the kernel itself has written down of processes that it ended for memory. It does so in the moment, whatever becomes of those who were to be told.
 *
 * Source: Documentation/ABI/testing/dev-kmsg (a record for each read; EAGAIN at the end, EPIPE where the oldest ones were overwritten meanwhile).
 */
import { constants, promises as fs } from 'node:fs';

const KERNEL_LOG = '/dev/kmsg';
const RECORD_BYTES = 8 * 1024;
/** More than any buffer of the kernel has. */
const MOST_RECORDS = 100_000;
const OOM = /\boom-kill:|\boom_memcg=/;

/**
 * Whether it has ended something in the memory cgroup that has this name in its path. False says little: it writes down a few of them in each five
 * seconds. Undefined: this process may not read it.
 */
export async function endedForMemory(cgroup: string, path = KERNEL_LOG): Promise<boolean | undefined> {
  let log: fs.FileHandle;
  try {
    log = await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    for await (const record of recordsOf(log)) if (OOM.test(record) && record.includes(cgroup)) return true;
    return false;
  } catch {
    return undefined;
  } finally {
    await log.close();
  }
}

async function* recordsOf(log: fs.FileHandle): AsyncGenerator<string, void, undefined> {
  const buffer = Buffer.alloc(RECORD_BYTES);
  for (let count = 0; count < MOST_RECORDS; count += 1) {
    let length: number;
    try {
      ({ bytesRead: length } = await log.read(buffer, 0, RECORD_BYTES, null));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return;
      if (code !== 'EPIPE') throw error;
      continue;
    }
    if (length === 0) return;
    yield buffer.toString('latin1', 0, length);
  }
}

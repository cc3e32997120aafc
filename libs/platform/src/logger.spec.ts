import { lossyDestination } from './logger.js';

/** A disk with room for so many bytes. */
function disk(room: number) {
  let text = '';
  return {
    read: () => text,
    free: (bytes: number) => (room += bytes),
    write: (bytes: Buffer): number => {
      if (room === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      const written = Math.min(room, bytes.length);
      text += bytes.subarray(0, written).toString();
      room -= written;
      return written;
    },
  };
}

describe('lossyDestination', () => {
  it('drops what does not fit, and tells how much when there is room again', () => {
    const full = disk(14);
    const log = lossyDestination(full.write);
    for (const line of ['{"a":1}\n', '{"b":2}\n', '{"c":3}\n']) expect(() => log.write(line)).not.toThrow();
    expect(full.read()).toBe('{"a":1}\n{"b":2');
    full.free(1000);
    log.write('{"d":4}\n');
    const [first, torn, told, last] = full.read().split('\n');
    expect([first, torn, last]).toEqual(['{"a":1}', '{"b":2', '{"d":4}']);
    expect(JSON.parse(told ?? '')).toMatchObject({ level: 40, msg: '2 lines could not be written to this log' });
  });

  it('waits for a reader that is slow, not for one that never reads', () => {
    let pauses = 0;
    let full = true;
    const lines: string[] = [];
    const pipe = lossyDestination(
      (bytes) => {
        if (full) throw Object.assign(new Error('again'), { code: 'EAGAIN' });
        lines.push(bytes.toString());
        return bytes.length;
      },
      () => {
        pauses += 1;
        if (pauses === 3) full = false;
      },
    );
    pipe.write('slow\n');
    expect([lines, pauses]).toEqual([['slow\n'], 3]);
    full = true;
    pipe.write('never\n');
    expect(lines).toEqual(['slow\n']);
  });
});

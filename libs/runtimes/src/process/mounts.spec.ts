import { MountTable } from './mounts.js';

/** id parent device root point options; as the kernel writes them. */
const text = [
  '20 1 8:1 / / rw,relatime - ext4 /dev/a rw',
  '21 20 0:5 / /proc rw - proc proc rw',
  '22 20 8:2 / /a/b rw - ext4 /dev/b rw',
  // Over what was mounted below it before: that is hidden now.
  '23 20 8:3 /sub /a ro,nosuid - ext4 /dev/c rw',
  '24 21 0:6 / /proc rw - proc proc rw',
  '25 20 8:4 / /with\\040space\\134and\\011tab rw master:1 - ext4 /dev/d rw',
  '26 23 8:5 / /a/c ro - ext4 /dev/e rw',
  '',
].join('\n');

describe('MountTable', () => {
  it.each([
    ['/', 20],
    ['/ab/x', 20],
    ['/a', 23],
    ['/a/b/c', 23],
    ['/a/c/d', 26],
    ['/proc/1', 24],
    ['/with space\\and\ttab/x', 25],
  ])('says what %s lies on', (path, id) => {
    expect(new MountTable(text).mountOf(path)?.id).toBe(id);
  });
  it('says what can be written', () => {
    const table = new MountTable(text);
    expect(['/', '/a/b', '/a/c'].map((path) => table.mountOf(path)?.readOnly)).toEqual([false, true, true]);
    expect(new MountTable('').mountOf('/x')).toBeUndefined();
  });
});

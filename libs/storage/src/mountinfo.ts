/** What the kernel says of mounts: the text of /proc/<pid>/mountinfo. Pure. */

export interface MountLine {
  point: string;
  options: readonly string[];
  /** Of its file system. */
  type: string;
}

/** In the order in which they were mounted: the later one hides the earlier one of the same point. @param text read as UTF-8 */
export function mountLines(text: string): MountLine[] {
  return text.split('\n').flatMap((line) => {
    const [mount = '', source = ''] = line.split(' - ');
    const [, , , , point, options] = mount.split(' ');
    if (point === undefined || options === undefined) return [];
    return [{ point: plain(point), options: options.split(','), type: source.split(' ')[0] ?? '' }];
  });
}

/** Spaces, tabs, line feeds and backslashes are written as octal numbers; other bytes as they are. */
function plain(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** `weft du`: what the home takes, by what it is for. Reads names and sizes only, and needs no stack. */
import { homeOf } from '../home.js';
import { type HomeUsage, homeUsage } from '../housekeeping/home-usage.js';
import { humanSize } from '../housekeeping/units.js';
import { table } from '../table.js';

export async function duCommand(options: { json?: boolean }): Promise<void> {
  const usage = await homeUsage(homeOf());
  process.stdout.write(options.json ? `${JSON.stringify(usage, null, 2)}\n` : inWords(usage));
}

function inWords({ home, parts, bytes, elsewhere, unread }: HomeUsage): string {
  const rows = parts.filter((part) => part.bytes > 0).sort((a, b) => b.bytes - a.bytes);
  const lines = [
    table(
      ['TAKES', 'FILES', 'WHAT', ''],
      rows.map(({ name, what, ...part }) => [humanSize(part.bytes), String(part.files), name, what]),
    ),
  ];
  lines.push(`${humanSize(bytes)} in ${home}; files with several names are counted once\n`);
  if (elsewhere !== undefined) lines.push(`results, logs, cache and archive are in ${elsewhere}\n`);
  if (unread > 0) lines.push(`${unread} directories may not be read and are not counted\n`);
  return lines.join('');
}

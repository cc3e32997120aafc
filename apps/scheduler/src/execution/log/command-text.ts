/** The command of a task as somebody would type it into a shell, to be read where it failed. Pure. */
import type { executor } from '@weft/contracts';
import { shellQuote } from '@weft/tasks';
import { withoutSealed } from '../../secrets/secret-box.js';

/** Characters; the file names of a wide gather are not read to their end. */
const MAX_LENGTH = 4_000;

export function commandText(spec: Pick<executor.TaskSpec, 'argv' | 'stdinPath' | 'stdoutPath' | 'stderrPath'>): string {
  const streams = [
    ['<', spec.stdinPath],
    ['>', spec.stdoutPath],
    ['2>', spec.stderrPath],
  ] as const;
  const redirected = streams.filter(([, path]) => path !== '').map(([sign, path]) => `${sign} ${shellQuote(path)}`);
  const text = `$ ${withoutSealed([...spec.argv.map(shellQuote), ...redirected].join(' '))}`;
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}… (${text.length} characters)`;
}

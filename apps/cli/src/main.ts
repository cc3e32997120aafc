/**
 * The `weft` command. Loads as little as possible: the supervisor needs no command line, and a command that needs the stack has it
 * started before anything else is loaded, so that both take place at the same time.
 */
import { onFault } from './fault.js';
import { homeOf } from './home.js';
import { guardStreams } from './stdio.js';

guardStreams();
onFault();

const [command, ...rest] = process.argv.slice(2);

if (command === '__supervise') {
  const { superviseMain } = await import('./stack/main.js');
  await superviseMain(rest);
} else {
  if (needsStack(command, rest)) {
    const [{ connectOrStart }, { startEarly }] = await Promise.all([import('./stack/connect.js'), import('./client/connect.js')]);
    startEarly(connectOrStart(homeOf(), (line) => process.stderr.write(`weft: ${line}\n`), 'wanted'));
  }
  const { main } = await import('./program.js');
  await main(process.argv);
}

function needsStack(name: string | undefined, args: string[]): boolean {
  if (
    process.env['WEFT_URL'] ||
    args.some((arg) => arg === '--gateway' || arg.startsWith('--gateway=') || arg === '--help' || arg === '-h')
  )
    return false;
  return name === 'run' && args.some((arg) => !arg.startsWith('-'));
}

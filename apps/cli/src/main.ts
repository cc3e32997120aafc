/**
 * The `weft` command. Loads as little as possible: the supervisor needs no command line, and a command that needs the stack has it
 * started before anything else is loaded, so that both take place at the same time.
 */
import { foreignOption } from './commands/foreign-options.js';
import { onFault } from './fault.js';
import { guardStreams } from './stdio.js';
import { rawWorld, unnameable } from './unnameable.js';

guardStreams();
onFault();

refuseUnnameable();

const [command, ...rest] = process.argv.slice(2);

if (command === '__supervise') {
  const { superviseMain } = await import('./stack/main.js');
  await superviseMain(rest);
} else {
  if (needsStack(command, rest)) {
    const said = (...options: string[]): boolean => ownWords(rest).some((word) => options.includes(word));
    const [{ openStack }, { startEarly }] = await Promise.all([import('./stack/owned.js'), import('./client/connect.js')]);
    startEarly(openStack(say, { settings: 'wanted', asked: said('--private'), quiet: said('-q', '--quiet') }));
  }
  const { main } = await import('./program.js');
  await main(process.argv);
  const { endOwned } = await import('./stack/owned.js');
  await endOwned(say);
}

function say(line: string): void {
  process.stderr.write(`weft: ${line}\n`);
}

/** Before anything is opened. */
function refuseUnnameable(): void {
  const why = unnameable(rawWorld());
  if (why === undefined) return;
  say(why);
  process.exit(1);
}

/** Behind `--` are inputs of the document. */
function ownWords(args: string[]): string[] {
  return args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
}

function needsStack(name: string | undefined, args: string[]): boolean {
  if (
    process.env['WEFT_URL'] ||
    args.some((arg) => arg === '--gateway' || arg.startsWith('--gateway=') || arg === '--help' || arg === '-h')
  )
    return false;
  // What prints something of the document runs nothing.
  if (args.some((arg) => arg.startsWith('--print-') || foreignOption(arg)?.kind === 'command')) return false;
  return name === 'run' && args.some((arg) => !arg.startsWith('-'));
}

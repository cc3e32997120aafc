/**
 * The command line: names, options, help. Each command's code is loaded when it is called.
 */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { isServiceError } from '@weft/platform/service-error';
import { commaList, gatewayOption, wholeNumber } from './argument-values.js';
import { dropEarlyStack } from './client/connect.js';
import { ownArguments } from './commands/run-arguments.js';
import { addRun } from './commands/run-syntax.js';
import { faultWriter, sentenceOf } from './fault.js';
import { parseAge, parseSize } from './housekeeping/units.js';
import { CommandError, EXIT_FAILURE, EXIT_UNSUPPORTED } from './errors.js';

const RUN = 'the run: its id, the beginning of it, its name, or @latest';
const RUNS = 'the runs: ids, beginnings of them that fit one run only, names, or @latest';

export async function main(argv: string[]): Promise<void> {
  try {
    const program = makeProgram();
    const args = withoutForeign(program, argv.slice(2));
    const document = documentToExplain(program, args);
    if (document === undefined) await program.parseAsync(args, { from: 'user' });
    else process.stdout.write(await (await import('./commands/run-help.js')).documentHelp(document));
  } catch (error) {
    // Diagnostics begin with their place, as editors and people expect.
    process.stderr.write(`${error instanceof Error && error.name === 'Refused' ? '' : 'weft: '}${explain(error)}\n`);
    process.exitCode = exitCodeOf(error);
    await dropEarlyStack();
    if (error instanceof Error && error.name === 'Unanswered') (await import('./outputs/unanswered.js')).leaveUnanswered();
  }
}

/** What other runners' options mean here is settled before the rest is parsed: only then is it known which argument is the document. */
function withoutForeign(program: Command, [name = '', ...rest]: string[]): string[] {
  if (name !== 'run') return name === '' ? [] : [name, ...rest];
  const { args, told, command } = ownArguments(rest, optionsOf(program.commands.find((command) => command.name() === 'run')));
  if (!args.includes('--quiet') && !args.includes('-q')) for (const sentence of told) process.stderr.write(`weft: ${sentence}\n`);
  return command === undefined ? [name, ...args] : args;
}

/** Of `weft run`: its own options, and whether each takes a value. */
export function runOptions(): Map<string, boolean> {
  return optionsOf(makeProgram().commands.find((command) => command.name() === 'run'));
}

function optionsOf(command: Command | undefined): Map<string, boolean> {
  const options = (command?.options ?? []).flatMap(({ short, long, required, optional }) =>
    [short, long].map((flag): [string, boolean] => [flag ?? '', required || optional]),
  );
  return new Map([...options, ['--help', false] as const, ['-h', false] as const].filter(([flag]) => flag !== ''));
}

/** `weft run <document> --help` asks for the help of the document. */
function documentToExplain(program: Command, [name, ...rest]: string[]): string | undefined {
  const run = program.commands.find((command) => command.name() === 'run');
  const isHelp = (arg: string): boolean => arg === '--help' || arg === '-h';
  if (name !== 'run' || run === undefined || !rest.some(isHelp)) return undefined;
  return run.parseOptions(rest.filter((arg) => !isHelp(arg))).operands[0];
}

function explain(error: unknown): string {
  if (error instanceof CommandError || isServiceError(error)) return error.message;
  // The language's own errors are nobody's wish to say something.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError)
    if (!('code' in error)) return sentenceOf(error, faultWriter());
  if (error instanceof Error)
    return 'code' in error || process.env['WEFT_DEBUG'] === undefined ? error.message : (error.stack ?? error.message);
  return String(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  return isServiceError(error) && error.code === 'UNIMPLEMENTED' ? EXIT_UNSUPPORTED : EXIT_FAILURE;
}

function makeProgram(): Command {
  const program = new Command('weft')
    .description('Runs Common Workflow Language workflows on a durable queue.')
    .version(version())
    .showSuggestionAfterError()
    .enablePositionalOptions();
  addRun(program, version());
  addStackCommands(program);
  addRunCommands(program);
  addHousekeeping(program);
  addRunnerCommands(program);
  addDocumentCommands(program);
  addChecks(program);
  return program;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}

function addStackCommands(program: Command): void {
  program
    .command('up')
    .description('start Redis, scheduler, step-runner, AL coordinator and gateway, and stay until Ctrl-C')
    .option('-d, --detach', 'return once everything is ready')
    .action(async (options) => (await import('./commands/up.js')).upCommand(options));
  program
    .command('down')
    .description('stop the stack of this WEFT_HOME; runs that are under way go on when it starts again')
    .option('--cancel', 'cancel them first')
    .option('--force', 'also free a state that another host has: that host is gone for good')
    .action(async (options) => (await import('./commands/down.js')).downCommand(options));
  program
    .command('doctor')
    .description('look at what weft needs on this machine and say what is missing')
    .option('--json', 'for programs')
    .action(async (options) => (await import('./commands/doctor.js')).doctorCommand(options));
}

function addRunCommands(program: Command): void {
  program
    .command('ls')
    .description('list runs, newest first; those of projects and of active-learning commands where they are asked for')
    .option('--status <status...>', 'only these')
    .option('--project <id>', 'only of this project', '')
    .option('--all', 'also those of all projects')
    .option('-n, --limit <count>', 'how many', wholeNumber, 20)
    .option('--json', 'for programs')
    .addOption(gatewayOption())
    .action(async (options) => (await import('./commands/ls.js')).lsCommand(options));
  program
    .command('show')
    .description('one run: its state, its tasks, why it failed')
    .argument('<run>', RUN)
    .option('--json', 'for programs')
    .addOption(gatewayOption())
    .action(async (id: string, options) => (await import('./commands/show.js')).showCommand(id, options));
  program
    .command('logs')
    .description('what the tools of a run wrote')
    .argument('<run>', RUN)
    .argument('[task]', 'only of this task: a step, a step with its index (align[3]), or an id')
    .option('-f, --follow', 'go on until the run ends')
    .option('--full', 'all that the task wrote, byte for byte, from the file that is kept of it')
    .option('--attempt <number>', 'only of this attempt (--full: of the latest, unless named)', wholeNumber)
    .addOption(new Option('--stream <name>', 'only this').choices(['stdout', 'stderr']))
    .option('--task <id>', 'as the second argument', '')
    .option('--json', 'for programs')
    .addOption(gatewayOption())
    .action(async (id: string, task: string | undefined, options) => (await import('./commands/logs.js')).logsCommand(id, task, options));
  program
    .command('attach')
    .description('follow a run to its end and bring its outputs here, as `weft run` does; Ctrl-C leaves, and the run goes on')
    .argument('<run>', RUN)
    .option('--outdir <directory>', 'where the outputs go', '.')
    .option('-q, --quiet', 'no progress, only errors')
    .option('--json', 'progress as JSON lines on stderr')
    .addOption(gatewayOption())
    .action(async (id: string, options) => (await import('./commands/attach.js')).attachCommand(id, options));
  program
    .command('retry')
    .description('go on with a run that failed or was cancelled: what succeeded stays, the rest is tried again')
    .argument('<run>', RUN)
    .option('--outdir <directory>', 'where the outputs go', '.')
    .option('-q, --quiet', 'no progress, only errors')
    .option('--json', 'progress as JSON lines on stderr')
    .option('--detach', 'return at once')
    .addOption(gatewayOption())
    .action(async (id: string, options) => (await import('./commands/retry.js')).retryCommand(id, options));
  program
    .command('cancel')
    .description('cancel runs')
    .argument('<run...>', RUNS)
    .option('--reason <text>', 'why', 'cancelled by the user')
    .addOption(gatewayOption())
    .action(async (ids: string[], options) => (await import('./commands/cancel.js')).cancelCommand(ids, options));
}

function addHousekeeping(program: Command): void {
  program
    .command('du')
    .description('what the home takes: results, logs, caches, archive, Redis')
    .option('--json', 'for programs')
    .action(async (options) => (await import('./commands/du.js')).duCommand(options));
  program
    .command('rm')
    .description('remove runs that have ended, with their outputs in storage, their logs and records')
    .argument('<run...>', RUNS)
    .addOption(gatewayOption())
    .action(async (named: string[], options) => (await import('./commands/rm.js')).rmCommand(named, options));
  program
    .command('prune')
    .description('free room: remove finished runs that meet all conditions, whole logs, or what the call cache keeps')
    .option('--older-than <age>', 'runs that ended so long ago (12h, 30d, 8w)', parseAge)
    .option('--keep <count>', 'all but the newest so many of them', wholeNumber)
    .option('--larger-than <size>', 'runs that take more than this (500M, 2G)', parseSize)
    .option('--state <state...>', 'runs that have ended so: succeeded, failed, cancelled')
    .option('--size <size>', 'the oldest, until all that is left takes no more than this', parseSize)
    .option('--logs', 'not the runs, only the whole logs of their tasks')
    .option('--cache', 'all that only the call cache keeps')
    .option('-n, --dry-run', 'only show what would go')
    .addOption(gatewayOption())
    .action(async (options) => (await import('./commands/prune.js')).pruneCommand(options));
}

function addRunnerCommands(program: Command): void {
  const scheduler = (): Option =>
    new Option('--scheduler <address>', 'gRPC address of a scheduler to ask instead of the local stack').env('WEFT_SCHEDULER_ADDRESS');
  const runners = program
    .command('runners')
    .description('list the runners: what each has, what its tasks hold, whether it takes new ones')
    .option('--pool <name>', 'only of this pool', '')
    .option('--json', 'for programs')
    .addOption(scheduler())
    .action(async (options) => (await import('./commands/runners.js')).runnersCommand(options));
  const wishes: [name: string, draining: boolean, description: string][] = [
    ['drain', true, 'give runners no new tasks, also after they restart; they finish what they have'],
    ['undrain', false, 'give runners tasks again'],
  ];
  for (const [name, draining, description] of wishes) {
    runners
      .command(name)
      .description(description)
      .argument('<runner...>', 'ids of the runners')
      .action(async (ids: string[], _options, command: Command) =>
        (await import('./commands/runners.js')).drainCommand(ids, draining, command.optsWithGlobals()),
      );
  }
}

function addDocumentCommands(program: Command): void {
  const output = (): Option => new Option('-o, --output <file>', 'write there instead of stdout');
  program
    .command('graph')
    .description('the picture of a workflow in DOT, the language of Graphviz')
    .argument('<document>', 'path or URI of the document, optionally #process')
    .option('--svg', 'as SVG')
    .addOption(output())
    .action(async (document: string, options) => (await import('./commands/graph.js')).graphCommand(document, options));
  program
    .command('pack')
    .description('one self-contained document out of one and all that it runs, imports and includes')
    .argument('<document>', 'path or URI of the document, optionally #process')
    .addOption(output())
    .action(async (document: string, options) => (await import('./commands/pack.js')).packCommand(document, options));
  program
    .command('inputs')
    .description('a job file to be filled in, with types, defaults and docs as comments')
    .argument('<document>', 'path or URI of the document, optionally #process')
    .addOption(output())
    .action(async (document: string, options) => (await import('./commands/inputs.js')).inputsCommand(document, options));
}

function addChecks(program: Command): void {
  program
    .command('validate')
    .description('check CWL documents without running them')
    .argument('<document...>', 'paths or URIs')
    .option('--json', 'for programs')
    .action(async (documents: string[], options) => (await import('./commands/validate.js')).validateCommand(documents, options));
  program
    .command('conformance')
    .description('run a CWL conformance suite through the whole stack')
    .argument('<folder>', 'folder of a suite, or its index: conformance_tests.json or .yaml')
    .option('--tags <tags>', 'only tests with one of these tags (comma-separated)', commaList, [])
    .option('--exclude <tags>', 'no tests with one of these tags', commaList, [])
    .option('--test <ids>', 'only these tests', commaList, [])
    .option('--jobs <count>', 'how many at once', wholeNumber, 4)
    .option('--json <file>', 'write a report')
    .option('--timeout <seconds>', 'per test', wholeNumber, 120)
    .option('--stand-in <host...>', 'serve this host from here for the tests that fetch from it (host, or host=ip of a server)')
    .option('--failure-codes <file>', 'JSON object of failure codes by test id: what each test that should fail must fail with')
    .option('--make-images', 'make the images that the public suites name from Debian packages (root, apt)')
    .option('--verbose', 'a line for every test')
    .action(async (folder: string, options) => (await import('./commands/conformance.js')).conformanceCommand(folder, options));
  program
    .command('test')
    .description('every check of this repository; installs what the checks need')
    .option('--only <parts>', 'only these parts (comma-separated)', commaList, [])
    .action(async (options) => (await import('./commands/test.js')).testCommand(options));
}

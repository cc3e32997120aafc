/** What `weft run` takes; its code is loaded when it is called. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { gatewayOption, wholeNumber } from '../argument-values.js';
import { CommandError } from '../errors.js';

export function addRun(program: Command, version: string): void {
  program
    .command('run')
    .description('run a CWL document; its output object is printed as JSON on stdout')
    .argument('[document]', 'path or URI of the document, optionally #process')
    .argument('[job...]', 'job file (YAML or JSON), and inputs as --name value')
    .option('--outdir <directory>', 'where the outputs go', '.')
    .option('-q, --quiet', 'no progress, only errors')
    .option('--no-container', 'run tools on the host where their DockerRequirement is a hint')
    .option('--default-container <image>', 'image for tools that name none')
    .option('--json', 'progress as JSON lines on stderr')
    .option('--name <name>', 'name of the run, by which every command takes it, too; without it, the label of the document, or its file')
    .option('--project <id>', 'project that the run belongs to', '')
    .option('--pool <name>', 'pool of runners', '')
    .option('--label <key=value>', 'a label of the run (again for more)', appended, [])
    .option('--idempotency-key <key>', 'a second call with the same key follows the first call’s run')
    .option('--timeout <seconds>', 'stop the run after this time; it fails with RUN_TIME_LIMIT', wholeNumber)
    .addOption(new Option('--on-error <what>', 'when a step has failed for good').choices(['stop', 'continue']).default('stop'))
    .option('--max-attempts <count>', 'attempts of one task where its failure may be temporary', wholeNumber)
    .option('--oom-retry <factor>', 'try a task that was killed for its memory again with this times as much, e.g. 2x', factor)
    .option('--cache', 'use results of earlier tasks that did the same, and keep those of this run')
    .option('--no-cache', 'execute every task, whatever results are known; what comes out takes their place')
    .option('--keep-intermediates', 'keep files that steps pass to each other when no step needs them any more')
    .option('--priority <number>', 'greater goes first, -100 to 100', priority)
    .option('--parallel <count>', 'tasks of this run at the same time, at most', parallelLimit)
    .option('--preserve-environment <name>', 'let tools see this variable (again, or with commas, for more)', appended, [])
    .option('--preserve-entire-environment', 'let tools see all variables')
    .option('--private', 'a stack of this command alone, which ends with it; so it is in batch jobs and CI')
    .option('--overrides <file>', 'requirements for processes and steps, as cwltool:overrides of a job gives them')
    .option('-t, --target <name>', 'only what this output needs, or what follows from this step or input (again for more)', appended, [])
    .option('--single-step <step>', 'only this step (a path: outer/inner), with its scatter and condition; its inputs are asked for')
    .option('--single-process <step>', 'only the process of this step; its inputs are asked for')
    .option('--log-dir <directory>', 'what tools wrote to stdout and stderr also goes there, a file for each')
    .option('-w, --write-summary <file>', 'the output object goes there, not to stdout')
    .option('--print-deps', 'run nothing: print what the document reads')
    .option('--print-input-deps', 'run nothing: print the files of the job')
    .option('--print-targets', 'run nothing: print what --target may name')
    .option('--print-subgraph', 'run nothing: print the part that --target or --single-step selects')
    .option('--print-supported-versions', 'run nothing: print the versions of CWL that are run')
    .addOption(new Option('--relative-deps <to>', 'what --print-deps is relative to').choices(['primary', 'cwd']).default('primary'))
    .option('--detach', 'print the run’s id and return')
    .addOption(gatewayOption())
    .allowUnknownOption()
    .addHelpText('after', '\nInputs of the document are options, too; put them after the document, and after `--` where a name is taken.')
    .version(`weft ${version}`)
    .action(async (document: string | undefined, rest: string[], options) => {
      if (await (await import('./run-prints.js')).printInstead(document, rest, options)) return;
      if (document === undefined) throw new CommandError('what is to be run? weft run <document> [job]');
      await (await import('./run.js')).runCommand(document, rest, options);
    });
}

function factor(text: string): number {
  const value = Number(text.replace(/x$/, ''));
  if (value > 1 && value <= 64) return value;
  throw new InvalidArgumentError('a factor greater than 1 and at most 64, such as 2x.');
}

function priority(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && Math.abs(value) <= 100) return value;
  throw new InvalidArgumentError('a whole number from -100 to 100.');
}

/** Elsewhere the option is a switch. */
function parallelLimit(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a limit, a whole number: tasks run at the same time anyway.');
}

function appended(text: string, before: string[]): string[] {
  return [...before, text];
}

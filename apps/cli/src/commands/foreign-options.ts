/**
 * Options that people and scripts bring along from other CWL runners. Those that ask for what is so anyway are passed over where they
 * stand in front of the document; the others are refused with what does the same here. Behind the document options are its inputs.
 */
import { nearestName } from '@weft/cwl';
import { CommandError } from '../errors.js';

const SO_ANYWAY: ReadonlySet<string> = new Set([
  ...['--strict', '--enable-dev', '--enable-ext', '--enable-pull', '--do-update', '--relax-path-checks', '--compute-checksum'],
  ...['--copy-outputs', '--rm-tmpdir', '--rm-container', '--debug', '--verbose', '--timestamps', '--disable-color'],
]);

const HOST_TOOLS = 'tools come from their image or from PATH; SoftwareRequirement only informs';
const INSTEAD: Readonly<Record<string, string>> = {
  '--cachedir': 'results are kept and taken again by themselves; --no-cache turns that off',
  ...all(
    ['--singularity', '--podman', '--udocker', '--user-space-docker-cmd'],
    "images run with Docker, or what else answers at DOCKER_HOST such as Podman's socket; --no-container runs tools on the host",
  ),
  ...all(['--tmpdir-prefix', '--tmp-outdir-prefix', '--basedir-prefix'], 'tasks work below the folder that WEFT_SANDBOX_ROOT names'),
  ...all(
    ['--leave-tmpdir', '--leave-outputs', '--leave-container'],
    '`weft logs <run>` has what tools wrote, and the command of a task that failed; --keep-intermediates keeps what steps gave',
  ),
  '--validate': '`weft validate <document>` checks without running',
  '--print-dot': '`weft graph <document>` draws',
  '--pack': '`weft pack <document>` makes one document of all',
  '--make-template': '`weft inputs <document>` writes a job to be filled in',
  ...all(['--print-deps', '--print-input-deps'], '`weft pack <document>` brings everything that a document refers to into it'),
  '--non-strict': 'what is wrong in a document is always told',
  ...all(['--target', '-t', '--single-step', '--single-process'], 'one process of a document is run as document#process'),
  ...all(['--custom-net', '--no-network'], 'containers have a network where the document has NetworkAccess, and only there'),
  ...all(['--write-summary', '-w'], 'stdout carries the output object alone: > writes it to a file'),
  '--eval-timeout': 'WEFT_EXPRESSION_TIMEOUT_MS is the limit for an expression',
  '--basedir': 'paths in a job refer to the folder of the job, those of options to the current one',
  '--move-outputs': 'outputs are copied to --outdir; the originals go with their run',
  ...all(['--provenance', '--enable-user-provenance', '--enable-host-provenance'], 'provenance is not written yet'),
  ...all(
    ['--beta-dependency-resolvers-configuration', '--beta-dependencies-directory', '--beta-use-biocontainers', '--beta-conda-dependencies'],
    HOST_TOOLS,
  ),
};

function all(names: string[], text: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, text]));
}

/** What does here what an option does elsewhere. */
export function insteadOf(option: string): string | undefined {
  return Object.hasOwn(INSTEAD, option) ? INSTEAD[option] : undefined;
}

/** From the document on; `known`: the options there are. Throws CommandError at an option that is not one of them. */
export function fromDocumentOn(args: readonly string[], known: readonly string[]): string[] {
  const start = args.findIndex((arg) => !SO_ANYWAY.has(arg));
  const first = start < 0 ? undefined : args[start];
  if (first === undefined) throw new CommandError('weft run needs a document');
  if (!first.startsWith('-') || first === '-') return args.slice(start);
  const option = first.replace(/=.*$/s, '');
  const near = nearestName(option, known);
  const instead = insteadOf(option);
  const advice =
    instead !== undefined
      ? `: ${instead}`
      : near !== undefined
        ? `; did you mean '${near}'?`
        : ': `weft run --help` lists what there is; inputs of the document stand behind it';
  throw new CommandError(`weft run has no option '${option}'${advice}`);
}

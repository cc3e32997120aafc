/**
 * Options that people and scripts bring along from other CWL runners: every one of cwltool's (cwltool-options.json holds its list, and a test
 * compares), and what others are typed with. Each is one of:
 *
 *   so       it is so here anyway: passed over
 *   told     it changes nothing of the result: passed over, with a sentence
 *   as       the same under another name here; with a sentence, a switch that does not take the value
 *   command  another command of weft does it: that is called with the document
 *   instead  refused, with what does it here
 *
 * Invariant: whether an option takes a value is part of its entry, so that a value is never taken for the document, nor the document for a value.
 */
export type Foreign = { value?: true } & (
  | { kind: 'so' }
  | { kind: 'told'; text: string }
  | { kind: 'as'; option: string; told?: string }
  | { kind: 'command'; words: string[] }
  | { kind: 'instead'; text: string }
);

const ENGINES =
  "images run with Docker, or what else answers at DOCKER_HOST such as Podman's socket; --no-container runs tools on the host";
const SANDBOXES = 'tasks work below the folder that WEFT_SANDBOX_ROOT names (and `weft doctor` shows)';
const KEPT = '`weft logs <run>` has what tools wrote, and the command of a task that failed; --keep-intermediates keeps what steps gave';
const PROVENANCE = 'no record of provenance is written yet; `weft show <run> --json` has the tasks of a run, with when and where each ran';
const HOST_TOOLS = 'tools come from their image or from PATH; SoftwareRequirement only informs';
const REGISTRY = 'a document is a path or an address: give the address of the descriptor in the registry';
const CONTAINER_IDS = 'containers carry the labels weft.run and weft.task: `docker ps --filter label=weft.run=<run>`';
const SERIALIZED = 'no RDF is made of a document: `weft pack <document>` makes one document of all, `weft graph <document>` draws it';
const LIMITS = 'limits that a document gives (ramMin, ramMax, coresMin, coresMax) are held without it, and others are not made up';

const so: Foreign = { kind: 'so' };
const told = (text: string): Foreign => ({ kind: 'told', text });
const instead = (text: string): Foreign => ({ kind: 'instead', text });
const command = (...words: string[]): Foreign => ({ kind: 'command', words });
const withValue = (foreign: Foreign): Foreign => ({ ...foreign, value: true });
const each = (names: string[], foreign: Foreign): [string, Foreign][] => names.map((name) => [name, foreign]);

const FOREIGN: ReadonlyMap<string, Foreign> = new Map<string, Foreign>([
  ...each(['--strict', '--enable-dev', '--enable-ext', '--relax-path-checks', '--do-update', '--fast-parser'], so),
  ...each(['--enable-pull', '--compute-checksum', '--copy-outputs', '--rm-tmpdir', '--rm-container'], so),
  ...each(['--debug', '--verbose', '--timestamps', '--enable-color', '--disable-color', '--doc-cache', '--no-doc-cache'], so),
  ...each(['--disable-user-provenance', '--disable-host-provenance', '--disable-ga4gh-tool-registry', '--disable-js-validation'], so),
  ['--no-warnings', { kind: 'as', option: '--quiet' }],
  ['--parallel-max', { kind: 'as', option: '--parallel', value: true }],

  ['--skip-schemas', told('$schemas are read only where a format is asked for, and one that cannot be read is a warning')],
  ['--no-compute-checksum', told('checksums are always computed')],
  ...each(['--strict-memory-limit', '--strict-cpu-limit'], told(LIMITS)),
  ['--no-match-user', told('what a container writes always belongs to the user of the runner')],
  ['--no-read-only', told('a container may write its own file system; only inputs are read-only')],
  ['--move-outputs', told('outputs are copied to --outdir, as clones where the file system can; the originals go with their run')],
  ['--js-console', told('what JavaScript writes to its console is not shown')],
  ['--js-hint-options-file', withValue(told('JavaScript is run, not linted'))],

  [
    '--cachedir',
    { kind: 'as', option: '--cache', value: true, told: 'results are kept and used again; where they lie is the stack’s affair' },
  ],
  ...each(['--singularity', '--podman', '--udocker'], instead(ENGINES)),
  ...each(['--user-space-docker-cmd', '--singularity-sandbox-path'], withValue(instead(ENGINES))),
  ...each(['--tmpdir-prefix', '--tmp-outdir-prefix', '--basedir-prefix'], withValue(told(SANDBOXES))),
  ...each(['--leave-tmpdir', '--leave-outputs', '--leave-container'], told(KEPT)),
  ['--force-docker-pull', instead('an image that is there is used: `docker pull <image>` gets a newer one')],
  ['--disable-pull', instead('WEFT_IMAGE_SOURCES of the runner says how it may get images; without `pull` it uses what is there')],
  ['--record-container-id', told(CONTAINER_IDS)],
  ...each(['--cidfile-dir', '--cidfile-prefix'], withValue(told(CONTAINER_IDS))),

  ['--validate', command('validate')],
  ['--print-dot', command('graph')],
  ...each(['--pack', '--print-pre'], command('pack')),
  ['--make-template', command('inputs')],
  ['--tool-help', command('run', '--help')],
  ['--disable-validate', told('what is run is always checked')],
  ['--generate-help-preview', withValue(instead('`weft run --help` lists the options'))],
  ['--print-rdf', instead(SERIALIZED)],
  ['--rdf-serializer', withValue(instead(SERIALIZED))],

  [
    '--mpi-config-file',
    withValue(instead('MPIRequirement is not known here: a tool starts its launcher itself, as the first words of its baseCommand')),
  ],
  ['--non-strict', told('what is wrong in a document is always told')],
  ['--basedir', withValue(instead('paths in a job refer to the folder of the job, those of options to the current one'))],
  ['--custom-net', withValue(instead('containers have a network where the document has NetworkAccess, and only there'))],
  ['--no-network', instead('containers have a network where the document has NetworkAccess, and only there')],
  ['--eval-timeout', withValue(instead('WEFT_EXPRESSION_TIMEOUT_MS is the limit for an expression'))],
  ...each(['--provenance', '--orcid', '--full-name'], withValue(instead(PROVENANCE))),
  ...each(['--enable-user-provenance', '--enable-host-provenance', '--no-data'], instead(PROVENANCE)),
  ['--enable-ga4gh-tool-registry', instead(REGISTRY)],
  ['--add-ga4gh-tool-registry', withValue(instead(REGISTRY))],
  ...each(['--beta-dependency-resolvers-configuration', '--beta-dependencies-directory'], withValue(instead(HOST_TOOLS))),
  ...each(['--beta-use-biocontainers', '--beta-conda-dependencies'], instead(HOST_TOOLS)),
]);

export function foreignOption(name: string): Foreign | undefined {
  return FOREIGN.get(name);
}

/** What does here what an option does elsewhere. */
export function insteadOf(option: string): string | undefined {
  const foreign = FOREIGN.get(option);
  switch (foreign?.kind) {
    case 'instead':
    case 'told':
      return foreign.text;
    case 'command':
      return `\`weft ${foreign.words.join(' ')} <document>\` does it`;
    default:
      return undefined;
  }
}

/**
 * The piece of POSIX shell that a launcher runs for one task. Pure text.
 *
 * Invariants:
 *  1. Every word that comes from outside is single-quoted: no expansion, no globbing, no injection.
 *  2. The tool's environment is exactly `environment`. Names that a shell cannot export or treats specially go through `env -i`.
 *  3. The tool inherits only fds 0, 1 and 2.
 */

export interface ShellTask {
  /** Echoed with the exit code, so that an answer cannot be taken for another task's. */
  sequence: number;
  workDir: string;
  environment: Readonly<Record<string, string>>;
  argv: readonly string[];
  /** Of what the tool makes, the files of its streams included. */
  umask: number;
  /** Absolute paths; absent stdin: /dev/null, absent stdout or stderr: the launcher's own stream, ended with `marker`. */
  stdin?: string;
  stdout?: string;
  stderr?: string;
  /** ASCII without '%' and '\\'; may hold NULs. */
  marker: string;
  /** Absolute path of `env`. */
  envCommand: string;
  /** Whether this shell adds nothing of its own to an exported environment (see shell-traits.ts). */
  cleanShell: boolean;
  /** Shell text that puts the task where its processes are kept together (containment.ts). */
  enter: string;
}

/** Names that some shell keeps read-only, rewrites, or reacts to. */
const SPECIAL =
  /^(_|IFS|PWD|OLDPWD|PS[0-9]|OPTIND|OPTARG|OPTERR|PPID|UID|EUID|GROUPS|SHLVL|SHELLOPTS|LINENO|RANDOM|SECONDS|DIRSTACK|FUNCNAME|HIST.*|BASH.*|ENV|MAIL.*|POSIXLY_CORRECT|LANG|LC_.*|TZ|TERM|LINES|COLUMNS|TMOUT|CDPATH|EPOCH.*|SRANDOM|PIPESTATUS|HOSTNAME|HOSTTYPE|OSTYPE|MACHTYPE)$/;

export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

export function taskScript(task: ShellTask): string {
  const redirections = ['3>&-', `<${quote(task.stdin ?? '/dev/null')}`];
  if (task.stdout !== undefined) redirections.push(`>${quote(task.stdout)}`);
  if (task.stderr !== undefined) redirections.push(task.stderr === task.stdout ? '2>&1' : `2>${quote(task.stderr)}`);
  const ended = [
    task.stdout === undefined ? printMarker(task.marker) : '',
    task.stderr === undefined ? `${printMarker(task.marker)} >&2` : '',
  ];
  return [
    '(',
    ...(task.enter === '' ? [] : [task.enter]),
    `cd ${quote(task.workDir)} || exit 126`,
    'unset PWD OLDPWD',
    `umask ${task.umask.toString(8).padStart(4, '0')}`,
    `exec ${redirections.join(' ')}`,
    ...launchLines(task),
    ')',
    'code=$?',
    // Before anybody hears of the end: what the tool left running must not write any more, neither to its outputs nor to the next task's log.
    'sweep',
    `{ echo ${task.sequence} $code $left; times; } >&3`,
    ...ended.filter((line) => line !== ''),
    '',
  ].join('\n');
}

function launchLines(task: ShellTask): string[] {
  const command = task.argv.map(quote).join(' ');
  const names = Object.keys(task.environment);
  const assignments = names.map((name) => [name, quote(task.environment[name] ?? '')] as const);
  if (task.cleanShell && names.every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SPECIAL.test(name))) {
    return [...(names.length > 0 ? [`export ${assignments.map(([name, value]) => `${name}=${value}`).join(' ')}`] : []), `exec ${command}`];
  }
  const pairs = names.map((name) => quote(`${name}=${task.environment[name] ?? ''}`)).join(' ');
  return [`exec ${quote(task.envCommand)} -i ${pairs} ${command}`];
}

/** A script cannot hold a NUL, but printf can make one. */
function printMarker(marker: string): string {
  return `printf ${quote(marker.replaceAll('\0', '\\000'))}`;
}

/**
 * What a launcher's shell runs first: the log pipes are FIFOs, not the socket pairs that Node would give it, because a tool must be able
 * to open /dev/stdout. Opening them blocks until the runner has opened its ends.
 */
export function launcherPrologue(outPipe: string, errPipe: string, sweep: string): string {
  const [out, err] = [quote(outPipe), quote(errPipe)];
  return `trap : TERM INT HUP\n${sweep}\nmkfifo -m 600 ${out} ${err} || exit 1\necho ready >&3\nexec >${out} 2>${err}\n`;
}

/** Seconds in a line of the shell's `times`, such as `0m0.01s 1m2.5s`: user and system together. */
export function parseTimes(line: string): number {
  const parts = [...line.matchAll(/(\d+)m([\d.,]+)s/g)];
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number((seconds ?? '0').replace(',', '.')), 0);
}

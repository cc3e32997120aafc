/**
 * By what means a task's processes are kept together, and its inputs read-only; the strongest first.
 *
 *   namespaces  A launcher is the first process of a PID namespace: what its tasks start cannot leave it, and dies with it. In its mount
 *               namespace lies the read-only view. Needs unshare(1) and mount(8), and user namespaces where the runner is not root.
 *   cgroup      A control group for each launcher, where the runner may make one: what its tasks start stays in it. No view.
 *   group       Process group, session and descent, as far as /proc shows them, and the task's directories in the environment (strays.ts).
 *               What leaves all of these escapes.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ReadOnlyView } from './read-only-view.js';
import { CGROUP_SWEEP, NAMESPACE_SWEEP, NO_SWEEP, SETUP_SCRIPT } from './containment-script.js';
import { isGone } from './strays.js';

export const CONTAINMENT_LEVELS = ['namespaces', 'cgroup', 'group'] as const;
export type ContainmentLevel = (typeof CONTAINMENT_LEVELS)[number];

/** One launcher's. */
export interface Enclosure {
  /** What runs the shell that reads its commands from stdin. */
  argv: readonly string[];
  /** Shell text that each task's own subshell runs first. */
  enter: string;
  /** Shell text that defines `sweep`, which ends what a task has left and sets `left` where that does not succeed. */
  sweep: string;
  /** The shell is a child of what is spawned, and the first process of a namespace. */
  namespaced: boolean;
  cgroup?: string;
}

export interface Containment {
  level: ContainmentLevel;
  view?: ReadOnlyView;
  /** @throws the system's error */
  enclose(): Enclosure;
}

/** What may be tried on this machine, the strongest first. */
export function containments(allowed: readonly ContainmentLevel[], shell: string, view: () => ReadOnlyView): Containment[] {
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const all: Containment[] = [
    ...(user === 0 ? [namespaces(shell, view())] : []),
    namespaces(shell, view(), [String(user), String(group)]),
    ...ownCgroups().map((parent) => cgroup(shell, parent)),
    { level: 'group', enclose: () => ({ argv: [shell], enter: '', sweep: NO_SWEEP, namespaced: false }) },
  ];
  return all.filter(({ level }) => allowed.includes(level));
}

/** @param ids of the user and group that tasks are to have; absent: the runner has the privileges itself. */
function namespaces(shell: string, view: ReadOnlyView, ids: readonly string[] = []): Containment {
  const argv = [
    'unshare',
    ...(ids.length > 0 ? ['--user', '--map-root-user'] : []),
    ...['--mount', '--propagation', 'slave', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...[shell, '-c', SETUP_SCRIPT, 'launcher', view.directory, shell, ...ids],
  ];
  return {
    level: 'namespaces',
    view,
    enclose: () => {
      view.make();
      return { argv, enter: '', sweep: NAMESPACE_SWEEP, namespaced: true };
    },
  };
}

function cgroup(shell: string, parent: string): Containment {
  return {
    level: 'cgroup',
    enclose: () => {
      const directory = join(parent, `weft-${process.pid}-${randomBytes(6).toString('hex')}`);
      mkdirSync(directory);
      return {
        argv: [shell],
        enter: `echo 0 >'${directory}/cgroup.procs' || exit 126`,
        sweep: CGROUP_SWEEP(directory),
        namespaced: false,
        cgroup: directory,
      };
    },
  };
}

/** Where this process' own control groups lie, in hierarchies that can hold processes together: version 2, else one of version 1. */
function ownCgroups(): string[] {
  let text: string;
  try {
    text = readFileSync('/proc/self/cgroup', 'utf8');
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
  const pathOf = (controller: string): string | undefined => {
    const line = text.split('\n').find((one) => one.split(':')[1]?.split(',').includes(controller));
    return line?.split(':').slice(2).join(':').replace(/\/$/, '');
  };
  const [unified, pids, freezer] = ['', 'pids', 'freezer'].map(pathOf);
  return [
    ...(unified === undefined ? [] : [`/sys/fs/cgroup${unified}`, `/sys/fs/cgroup/unified${unified}`]),
    ...(pids === undefined ? [] : [`/sys/fs/cgroup/pids${pids}`]),
    ...(freezer === undefined ? [] : [`/sys/fs/cgroup/freezer${freezer}`]),
    // A quote in a path would end the word in the launcher's script.
  ].filter((path) => existsSync(join(path, 'cgroup.procs')) && !path.includes("'"));
}

/** It holds nothing any more, or the kernel keeps it until it does. */
export function removeCgroup(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== 'ENOENT' && code !== 'EBUSY') throw error;
  }
}

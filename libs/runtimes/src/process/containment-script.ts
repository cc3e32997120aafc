/** The pieces of POSIX shell by which a launcher is enclosed and ends what its tasks leave. Pure text. */

/**
 * Runs as the first process of the new namespaces: mounts the whole tree a second time at the view ($1) and makes all of it read-only, then
 * becomes the launcher's shell ($2), as the user and group $3 and $4 where these are given.
 *
 * mount_setattr(2), which changes a whole tree at once and keeps what is locked, has no command in util-linux before 2.39; Perl, which is
 * there wherever Debian is, can call it (442 on every architecture). Else mount by mount: what cannot be changed is found by whoever looks
 * whether an input is covered.
 */
export const SETUP_SCRIPT = `
view=$1 shell=$2
mount --rbind / "$view" || exit 1
perl -e 'exit(syscall(442, -100, my $p = $ARGV[0], 0x8000, my $a = pack("Q4", 1, 0, 0, 0), 32) ? 1 : 0)' "$view" 2>/dev/null ||
while read -r _ _ _ _ point options _; do
  case $point in "$view" | "$view"/*) mount -o "remount,bind,$options,ro" "$(printf %b "$point")" 2>/dev/null ;; esac
done </proc/self/mountinfo
if [ -n "\${3-}" ]; then exec unshare --user --map-user="$3" --map-group="$4" "$shell"; fi
exec "$shell"
`;

/** What does not end at once is asked again 100 times without a pause, then for half a minute: a large process takes time to give its memory back. */
function sweepWhile(something: string): string {
  return `sweep() { left= n=0
while ${something}; do
n=$((n + 1))
if [ $n -lt 100 ]; then ( : ); elif [ $n -lt 400 ]; then sleep 0.1; else left=left; return; fi
done; }`;
}

/** Kills all but the shell itself, which is PID 1. Waiting for a subshell reaps what has died: until then it still counts. */
export const NAMESPACE_SWEEP = sweepWhile('kill -s KILL -- -1 2>/dev/null');

export const CGROUP_SWEEP = (directory: string): string =>
  sweepWhile(`any=; while read -r p; do any=1; kill -s KILL "$p" 2>/dev/null; done <'${directory}/cgroup.procs'; [ -n "$any" ]`);

/** The runner looks for itself. */
export const NO_SWEEP = 'sweep() { left=; }';

/**
 * Reads lists of process groups and control groups; when its stdin ends, because the runner is gone however it went, it kills those of the
 * last list and removes the directory that is its argument.
 */
export const WATCHDOG_SCRIPT = `
last=
while read -r line; do last=$line; done
for one in $last; do
case $one in
/*) for try in 1 2 3 4 5 6 7 8 9 10; do
  while read -r p; do kill -s KILL "$p" 2>/dev/null; done <"$one/cgroup.procs"
  rmdir "$one" 2>/dev/null && break
  sleep 0.1
  done ;;
*) kill -s KILL -- "-$one" 2>/dev/null ;;
esac
done
rm -rf -- "$1"
`;

/** What a command told on stderr besides what it was waiting for: that comes and goes with the load of the machine, and says nothing of the end. */
export function withoutWaiting(stderr: string): string {
  return stderr.replace(/^weft: waiting for .*\n/gm, '');
}

/** What happened in a history, in words and in order: kept only for one that somebody will look at. */

export class Journal {
  readonly lines: string[] = [];

  constructor(private readonly fromMs: number) {}

  note(atMs: number, who: string, what: string): void {
    this.lines.push(`${((atMs - this.fromMs) / 1000).toFixed(3).padStart(9)}  ${who.padEnd(10)}  ${what}`);
  }
}

/**
 * The engine's progress lines as few short texts: one per change of whole percent, not one per line. Pure.
 */
export interface ProgressLine {
  status?: string;
  stream?: string;
  id?: string;
  progressDetail?: { current?: number; total?: number };
}

const MIB = 1024 * 1024;

export class ProgressText {
  private readonly layers = new Map<string, { current: number; total: number }>();
  private last = '';

  constructor(
    private readonly what: string,
    private readonly tell: (text: string) => void,
    private readonly onText: (text: string) => void = () => undefined,
  ) {}

  take(line: ProgressLine): void {
    const text = (line.stream ?? line.status ?? '').trim();
    if (text !== '') this.onText(text);
    const { current, total } = line.progressDetail ?? {};
    if (line.id !== undefined && line.status === 'Downloading' && current !== undefined && total !== undefined && total > 0) {
      this.layers.set(line.id, { current, total });
    } else if (line.id !== undefined && line.status === 'Download complete') {
      const layer = this.layers.get(line.id);
      if (layer !== undefined) layer.current = layer.total;
    }
    this.say(line.stream === undefined ? this.summary() : `${this.what}: ${text.slice(0, 200)}`);
  }

  private summary(): string {
    let [current, total] = [0, 0];
    for (const layer of this.layers.values()) {
      current += layer.current;
      total += layer.total;
    }
    if (total === 0) return '';
    return `${this.what}: ${Math.floor((100 * current) / total)} % of ${(total / MIB).toFixed(1)} MiB`;
  }

  private say(text: string): void {
    if (text === '' || text === this.last || text === `${this.what}: `) return;
    this.last = text;
    this.tell(text);
  }
}

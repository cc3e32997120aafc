/** Reads a text stream over HTTP piece by piece, as it arrives. */
export class TextStream {
  private text = '';
  private constructor(
    readonly response: Response,
    private readonly reader: ReadableStreamDefaultReader<Uint8Array>,
    private readonly aborter: AbortController,
  ) {}

  static async open(url: string, headers: Record<string, string> = {}): Promise<TextStream> {
    const aborter = new AbortController();
    const response = await fetch(url, { headers, signal: aborter.signal });
    if (!response.body) throw new Error('no body');
    return new TextStream(response, response.body.getReader(), aborter);
  }

  /** All text so far, once it contains `wanted`. Fails when the stream ends without it. */
  async until(wanted: string): Promise<string> {
    while (!this.text.includes(wanted)) if (!(await this.more())) throw new Error(`ended without '${wanted}': ${this.text}`);
    return this.text;
  }

  /** All text, once the stream has ended. */
  async rest(): Promise<string> {
    while (await this.more());
    return this.text;
  }

  leave(): void {
    this.aborter.abort();
  }

  private async more(): Promise<boolean> {
    const { done, value } = await this.reader.read();
    if (value) this.text += Buffer.from(value).toString('utf8');
    return !done;
  }
}

export interface SseEvent {
  id?: string;
  event: string;
  data: Record<string, unknown>;
}

export function parseSse(text: string): SseEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block.includes('data: '))
    .map((block) => {
      const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]));
      const data = JSON.parse(fields.get('data') ?? '') as Record<string, unknown>;
      return { ...(fields.has('id') ? { id: fields.get('id') } : {}), event: fields.get('event') ?? '', data };
    });
}

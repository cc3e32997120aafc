/** A client of the REST interface: JSON calls, and text that is followed as it arrives. Knows nothing but HTTP. */

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

export class Rest {
  constructor(private readonly url: string) {}

  get(path: string): Promise<Answer> {
    return this.call(path, {});
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** Follows a run's events to the run's end. */
  async untilEnd(runId: string): Promise<SseEvent[]> {
    const stream = await this.follow(`/api/v1/runs/${runId}/events`);
    const events = parseSse(await stream.rest());
    if (events.at(-1)?.event !== 'end') throw new Error(`the events of run ${runId} broke off: ${JSON.stringify(events.at(-1))}`);
    return events;
  }

  async follow(path: string): Promise<TextStream> {
    const response = await fetch(this.url + path);
    if (response.status !== 200 || !response.body) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return new TextStream(response.body.getReader());
  }

  text(path: string): Promise<string> {
    return fetch(this.url + path).then((response) => response.text());
  }

  private async call(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }
}

/** Reads text piece by piece, as it arrives. */
export class TextStream {
  private text = '';
  constructor(private readonly reader: ReadableStreamDefaultReader<Uint8Array>) {}

  /** All text so far, once it contains `wanted`; rejects when the stream ends without it. */
  async until(wanted: string): Promise<string> {
    while (!this.text.includes(wanted)) if (!(await this.more())) throw new Error(`ended without '${wanted}': ${this.text}`);
    return this.text;
  }

  async rest(): Promise<string> {
    while (await this.more());
    return this.text;
  }

  private async more(): Promise<boolean> {
    const { done, value } = await this.reader.read();
    if (value) this.text += Buffer.from(value).toString('utf8');
    return !done;
  }
}

export interface SseEvent {
  event: string;
  data: Record<string, unknown>;
}

function parseSse(text: string): SseEvent[] {
  const blocks = text.split('\n\n').filter((block) => block.includes('data: '));
  return blocks.map((block) => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
    return { event: field('event'), data: JSON.parse(field('data')) as Record<string, unknown> };
  });
}

/**
 * What one attempt writes: all of it into files, its beginning and its end to whoever watches.
 *
 * Invariants:
 *  1. The tool is held up by the file, never by watchers: they get the beginning at once, and then, now and then, as much of the end as is kept.
 *  2. After `end`, watchers have got the last of it, and the files are whole.
 *  3. A file that cannot be written fails no task.
 *  4. What is begun again writes from the start, in a life of its own: watchers are told which, and the files have the last one alone.
 */
import { executor } from '@weft/contracts';
import { LogExcerpt, type LogPiece } from './log-excerpt.js';
import { LogFile } from './log-file.js';
import type { LogKeeper, LogPlace, StreamName } from './log-keeper.js';

/** Time in which what is behind the beginning gathers. */
const GATHER_MS = 1_000;
const STREAMS = { stdout: executor.Log_Stream.STDOUT, stderr: executor.Log_Stream.STDERR };

export interface TaskLogOptions {
  spec: Pick<executor.TaskSpec, 'logTo'>;
  sandbox: string;
  keeper: LogKeeper;
  publish(event: executor.TaskEvent): void;
  /** See LogFileOptions. */
  hasSpare?: () => boolean;
  /** Watchers have not taken what they were given: what comes now waits. */
  congested(): boolean;
  onProblem(text: string, error: unknown): void;
}

interface StreamLog {
  excerpt: LogExcerpt;
  file: LogFile | undefined;
  uploadTo: string | undefined;
}

export class TaskLog {
  private readonly streams = new Map<StreamName, StreamLog>();
  private readonly opening = new Map<StreamName, Promise<StreamLog>>();
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  private life = '';

  constructor(private readonly options: TaskLogOptions) {}

  /** What is written from now on comes from this life of the tool; what came before it is from another, where it was begun before. */
  begin(life: string): void | Promise<void> {
    const former = this.life;
    if (former === '' || former === life) this.life = life;
    else return this.leaveFormer().then(() => void (this.life = life));
  }

  private async leaveFormer(): Promise<void> {
    await this.close();
    for (const { file } of this.streams.values()) file?.remove();
    this.streams.clear();
    this.opening.clear();
  }

  write(name: StreamName, data: Buffer): void | Promise<void> {
    const known = this.streams.get(name) ?? this.open(name);
    if (known instanceof Promise) return known.then((stream) => this.take(name, stream, data));
    return this.take(name, known, data);
  }

  /** What is kept so far, for who has just come. */
  past(): executor.TaskEvent[] {
    return [...this.streams].flatMap(([name, { excerpt }]) => excerpt.kept().map((piece) => this.eventOf(name, piece)));
  }

  /** What comes afterwards is dropped. */
  async end(): Promise<void> {
    await Promise.all(this.opening.values());
    this.ended = true;
    await this.close();
  }

  private async close(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.publishEnds();
    const closing = [...this.streams.values()].flatMap(({ file, excerpt }) => file?.close((from) => excerpt.kept(from)) ?? []);
    await Promise.all(closing);
  }

  /** Brings the files to where they belong, if that is elsewhere; to be waited for before the sandbox goes. */
  async keep(): Promise<void> {
    for (const { file, uploadTo } of this.streams.values()) {
      if (file === undefined || uploadTo === undefined || !file.exists) continue;
      try {
        await this.options.keeper.upload(file.path, uploadTo);
      } catch (error) {
        this.options.onProblem(`the log ${uploadTo} is not kept`, error);
      }
    }
  }

  private take(name: StreamName, { excerpt, file }: StreamLog, data: Buffer): void | Promise<void> {
    if (this.ended || data.length === 0) return;
    for (const piece of excerpt.push(data)) this.options.publish(this.eventOf(name, piece));
    if (excerpt.behind) this.timer ??= setTimeout(() => this.tick(), GATHER_MS).unref();
    return file?.write(data);
  }

  private tick(): void {
    this.timer = undefined;
    if (!this.options.congested()) return this.publishEnds();
    this.timer = setTimeout(() => this.tick(), GATHER_MS).unref();
  }

  private publishEnds(): void {
    for (const [name, { excerpt }] of this.streams) for (const piece of excerpt.take()) this.options.publish(this.eventOf(name, piece));
  }

  private open(name: StreamName): StreamLog | Promise<StreamLog> {
    const waiting = this.opening.get(name);
    if (waiting !== undefined) return waiting;
    const { spec, sandbox, keeper, onProblem, hasSpare } = this.options;
    const opened = (place: LogPlace | undefined): StreamLog => {
      const file = place && new LogFile(place.path, { limitBytes: keeper.limitBytes, hasSpare, onProblem });
      const stream = { excerpt: new LogExcerpt(), file, uploadTo: place?.uploadTo };
      this.streams.set(name, stream);
      return stream;
    };
    const place = keeper.placeOf(spec, sandbox, name);
    if (!(place instanceof Promise)) return opened(place);
    const opening = place.then(opened, (error: unknown) => {
      onProblem(`the log below ${spec.logTo} is not kept`, error);
      return opened(undefined);
    });
    this.opening.set(name, opening);
    return opening;
  }

  private eventOf(name: StreamName, { offset, line, data }: LogPiece): executor.TaskEvent {
    return { at: new Date(), event: { $case: 'log', value: { stream: STREAMS[name], data, offset, line, life: this.life } } };
  }
}

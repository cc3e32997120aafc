/**
 * What an attempt tells its watchers: where it stands, and what its tool says.
 *
 * Invariants:
 *  1. Nothing that the tool says is told before it is told that the tool has started: until then the tool is held up.
 *  2. Who comes late is told where it stands now, what is kept of the log, and what comes.
 */
import { executor } from '@weft/contracts';
import type { LogSink } from '@weft/runtimes';
import type { DiskGuard } from '../disk/disk-guard.js';
import { EventFeed, eventOf } from './event-feed.js';
import type { LogKeeper, StreamName } from '../logs/log-keeper.js';
import type { SecretMask } from '../logs/secret-mask.js';
import { TaskLog } from '../logs/task-log.js';
import { ToolOutput } from '../logs/tool-output.js';
import type { SandboxLayout } from '../sandbox/sandbox-layout.js';

interface ReportContext {
  spec: Pick<executor.TaskSpec, 'secrets' | 'logTo'>;
  layout: Pick<SandboxLayout, 'root'>;
  disk: Pick<DiskGuard, 'hasSpare'>;
  logs: LogKeeper;
  onProblem: (text: string, error: unknown) => void;
}

export class AttemptReport {
  private readonly feed: EventFeed;
  private readonly output: ToolOutput;
  private readonly written: TaskLog;
  private readonly early: (() => void)[] = [];
  private queuedEvent: executor.TaskEvent | undefined;
  private preparingEvent: executor.TaskEvent | undefined;
  private startedEvent: executor.TaskEvent | undefined;
  private finishedEvent: executor.TaskEvent | undefined;

  /** @param onUnwatched told when the last watcher has left */
  constructor({ spec, layout, disk, logs, onProblem }: ReportContext, onUnwatched: () => void) {
    this.feed = new EventFeed(onUnwatched);
    this.output = new ToolOutput(spec.secrets);
    this.written = new TaskLog({
      ...{ spec, sandbox: layout.root, keeper: logs, onProblem },
      publish: (event) => this.feed.publish(event),
      congested: () => this.feed.congested,
      hasSpare: () => disk.hasSpare(),
    });
  }

  /** Milliseconds for which nobody has watched; 0 where somebody does. */
  get unwatchedMs(): number {
    return this.feed.unwatchedMs;
  }

  get hasFinished(): boolean {
    return this.finishedEvent !== undefined;
  }

  /** Of its secrets. */
  get mask(): SecretMask {
    return this.output.mask;
  }

  watch(signal: AbortSignal): AsyncIterable<executor.TaskEvent> {
    const first = this.startedEvent ?? this.preparingEvent ?? this.queuedEvent;
    const past = [first, ...this.written.past(), this.finishedEvent].filter((event) => event !== undefined);
    return this.feed.watch(past, signal);
  }

  readonly log: LogSink = (stream, data) => this.take(stream, this.output.push(stream, data));

  /** It waits: for room, or for what `reason` says. */
  queued(reason: string): void {
    this.queuedEvent = eventOf({ $case: 'queued', value: { reason } });
    this.feed.publish(this.queuedEvent);
  }

  preparing(text: string): void {
    this.preparingEvent = eventOf({ $case: 'preparing', value: { text } });
    this.feed.publish(this.preparingEvent);
  }

  /** What its tool says from now on is of this life of it. */
  begin(life: string): void | Promise<void> {
    return this.written.begin(life);
  }

  started(handle: string): void {
    this.startedEvent = eventOf({ $case: 'started', value: { handle } });
    this.feed.publish(this.startedEvent);
    this.letEarlyLogGo();
  }

  /** The tool is lost, and what it said does not count. */
  renew(): void {
    this.startedEvent = undefined;
    this.output.renew();
  }

  /** The tool has ended: what was held back of its output is told. @param stderrFile that its stderr went to, if to one */
  async ended(stderrFile: string | undefined): Promise<void> {
    await this.output.end((stream, data) => this.take(stream, data));
    this.output.addFile(stderrFile);
  }

  stderrLines(): string[] {
    return this.output.lines();
  }

  /** Resolves when watchers have got the last of the log. */
  async endLog(): Promise<void> {
    this.letEarlyLogGo();
    await this.written.end();
  }

  /** Nothing is told any more after it. */
  finished(result: executor.Finished): void {
    this.finishedEvent = eventOf({ $case: 'finished', value: result });
    this.feed.publish(this.finishedEvent);
  }

  /** Brings the log to where it belongs; to be waited for before the sandbox goes. */
  keepLog(): Promise<void> {
    return this.written.keep();
  }

  private take(stream: StreamName, data: Buffer): void | Promise<void> {
    if (this.startedEvent !== undefined || this.hasFinished) return this.written.write(stream, data);
    return new Promise<void>((resolve) => this.early.push(resolve)).then(() => this.written.write(stream, data));
  }

  private letEarlyLogGo(): void {
    for (const go of this.early.splice(0)) go();
  }
}

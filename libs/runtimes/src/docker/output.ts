/**
 * Takes the output of one container to its files or to the task's log.
 *
 * Invariants:
 *  1. Files start empty: an adopted container's log is read again from its beginning. So it is where a connection was cut, and after the exit
 *     (the engine's follower drops a last line that has no end): of each stream, what was taken before is passed over.
 *  2. The container is read no faster than the file or the sink accepts.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { LogSink, RuntimeTask } from '../ports.js';
import { FrameReader } from './frames.js';

const TAIL_BYTES = 512;
const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;
/** The sandbox keeps them where the task has no name for them, so that a later life of the runner may open them again. */
const EMPTIED = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;

export class ContainerOutput {
  private stderrEnd = '';
  private readonly takenBytes = { stdout: 0, stderr: 0 };

  private constructor(
    private readonly files: { stdout?: FileHandle; stderr?: FileHandle },
    private readonly log: LogSink,
  ) {}

  static async open(task: Pick<RuntimeTask, 'hostStdout' | 'hostStderr'>, log: LogSink): Promise<ContainerOutput> {
    const { hostStdout, hostStderr } = task;
    const stdout = hostStdout === undefined ? undefined : await open(hostStdout, EMPTIED);
    const stderr = hostStderr === undefined ? undefined : hostStderr === hostStdout ? stdout : await open(hostStderr, EMPTIED);
    return new ContainerOutput({ stdout, stderr }, log);
  }

  /** Resolves at the end of the stream, when everything is where it belongs. */
  drain(stream: Readable): Promise<void> {
    return this.read(stream, (from, data) => this.take(from, data));
  }

  /** As drain, for a stream that begins with what was taken before. */
  drainAgain(fromTheBeginning: Readable): Promise<void> {
    const known = { ...this.takenBytes };
    return this.read(fromTheBeginning, async (from, data) => {
      const skipped = Math.min(known[from], data.length);
      known[from] -= skipped;
      if (skipped < data.length) await this.take(from, data.subarray(skipped));
    });
  }

  async close(): Promise<void> {
    const { stdout, stderr } = this.files;
    this.files.stdout = this.files.stderr = undefined;
    await stdout?.close();
    if (stderr !== stdout) await stderr?.close();
  }

  /** Why the engine's init process could not start the tool; undefined where it could. */
  get initComplaint(): string | undefined {
    const found = /\[FATAL tini \(\d+\)\] (exec .* failed: .*)|catatonit:\d+\): (failed to exec pid1: .*)/.exec(this.stderrEnd);
    return found?.[1] ?? found?.[2];
  }

  private async read(stream: Readable, take: (from: 'stdout' | 'stderr', data: Buffer) => Promise<void>): Promise<void> {
    const frames = new FrameReader();
    for await (const chunk of stream) for (const piece of frames.push(chunk as Buffer)) await take(piece.stream, piece.data);
  }

  private async take(stream: 'stdout' | 'stderr', data: Buffer): Promise<void> {
    this.takenBytes[stream] += data.length;
    if (stream === 'stderr') this.stderrEnd = (this.stderrEnd + data.subarray(-TAIL_BYTES).toString('latin1')).slice(-TAIL_BYTES);
    const file = this.files[stream];
    if (file !== undefined) await file.writeFile(data);
    else await this.log(stream, data);
  }
}

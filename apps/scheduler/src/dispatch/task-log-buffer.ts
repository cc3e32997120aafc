/**
 * Log chunks of running tasks on their way to the store: what arrives while a write is under way goes with the next one.
 */
import type { Logger } from '@weft/platform';
import type { TaskLogChunk, TaskLogs } from '@weft/run-store';

export class TaskLogBuffer {
  private readonly pending = new Map<string, TaskLogChunk[]>();
  private readonly writing = new Map<string, Promise<void>>();

  constructor(
    private readonly logs: Pick<TaskLogs, 'append'>,
    private readonly logger: Logger,
  ) {}

  add(runId: string, chunk: TaskLogChunk): void {
    const waiting = this.pending.get(runId);
    if (waiting) waiting.push(chunk);
    else this.pending.set(runId, [chunk]);
    if (!this.writing.has(runId)) this.writing.set(runId, this.write(runId));
  }

  /** Resolves when everything added so far for the run is stored (or could not be: that is logged). */
  async flushed(runId: string): Promise<void> {
    await this.writing.get(runId);
  }

  private async write(runId: string): Promise<void> {
    try {
      for (let chunks = this.take(runId); chunks.length > 0; chunks = this.take(runId)) await this.logs.append(runId, chunks);
    } catch (error) {
      this.logger.warn({ err: error, runId }, 'task output not stored');
    } finally {
      this.writing.delete(runId);
    }
  }

  private take(runId: string): TaskLogChunk[] {
    const chunks = this.pending.get(runId) ?? [];
    this.pending.delete(runId);
    return chunks;
  }
}

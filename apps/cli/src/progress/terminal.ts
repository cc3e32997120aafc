/**
 * Progress for people: on a terminal a block of live lines, one per running step, under the lines that stay; elsewhere plain lines.
 */
import pc from 'picocolors';
import { run } from '@weft/contracts';
import { taskWord } from '../client/status.js';
import type { ProgressReporter } from './reporter.js';
import { shownLine, shownLogLine } from '../shown-text.js';
import { StepBoard, describeStep } from './step-board.js';

const REDRAW_MS = 100;
const MAX_LIVE_LINES = 8;

export interface TerminalOptions {
  write(text: string): void;
  /** Redraws lines in place. */
  live: boolean;
  /** Width of the terminal; some pseudo-terminals say 0, which the caller must not pass on. */
  columns(): number;
}

export function terminalReporter(options: TerminalOptions): ProgressReporter {
  return new TerminalReporter(options);
}

class TerminalReporter implements ProgressReporter {
  private readonly board = new StepBoard();
  private drawnLines = 0;
  private redraw: NodeJS.Timeout | undefined;
  private readonly since = new Map<string, number>();

  constructor(private readonly options: TerminalOptions) {}

  submitted(runId: string, name: string, existing: boolean): void {
    this.line(`${existing ? 'following' : 'run'} ${runId}${name === '' ? '' : ` (${shownLine(name)})`}`);
  }

  event({ event, at }: run.RunEvent): void {
    if (event?.$case === 'note') this.line(`${event.value.step === '' ? '' : `[${event.value.step}] `}${shownLogLine(event.value.text)}`);
    if (event?.$case === 'taskStatus' && event.value.task !== undefined) this.task(event.value.task, at ?? new Date());
  }

  past({ event }: run.RunEvent): void {
    if (event?.$case === 'taskStatus' && event.value.task !== undefined) this.board.remember(event.value.task);
  }

  end(): void {
    clearTimeout(this.redraw);
    this.redraw = undefined;
    this.erase();
  }

  private task(task: run.Task, at: Date): void {
    const { state, change } = this.board.update(task);
    const label = task.step === '' ? 'tool' : shownLine(task.step);
    if (change === 'started') {
      this.since.set(task.step, at.getTime());
      if (!this.options.live) this.line(`[${label}] started`);
    }
    if (change === 'finished') this.line(`[${label}] ${describeStep(state)}${this.duration(task.step, at)}`);
    if (task.status === run.TaskStatus.FAILED && change !== 'finished')
      this.line(`[${label}${task.index === '' ? '' : ` ${task.index}`}] ${taskWord(task.status)}`);
    this.draw();
  }

  private duration(step: string, at: Date): string {
    const since = this.since.get(step);
    return since === undefined ? '' : ` in ${((at.getTime() - since) / 1000).toFixed(1)} s`;
  }

  private line(text: string): void {
    this.erase();
    this.options.write(`${text}\n`);
    this.draw();
  }

  private draw(): void {
    if (!this.options.live || this.redraw !== undefined) return;
    this.redraw = setTimeout(() => {
      this.redraw = undefined;
      this.erase();
      const steps = this.board.running();
      const shown = steps
        .slice(0, MAX_LIVE_LINES)
        .map((state) => `  ${state.step === '' ? 'tool' : shownLine(state.step)}: ${describeStep(state)}`);
      if (steps.length > shown.length) shown.push(`  … and ${steps.length - shown.length} more steps`);
      for (const text of shown) this.options.write(`${pc.dim(text.slice(0, this.options.columns() - 1))}\n`);
      this.drawnLines = shown.length;
    }, REDRAW_MS);
    this.redraw.unref();
  }

  private erase(): void {
    if (this.drawnLines > 0) this.options.write(`\u001b[${this.drawnLines}A\u001b[0J`);
    this.drawnLines = 0;
  }
}

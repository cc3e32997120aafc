/**
 * Progress for people: on a terminal a block of live lines (how far the run is, and each running step) under the lines that stay; elsewhere
 * plain lines.
 */
import pc from 'picocolors';
import { run } from '@weft/contracts';
import { taskWord } from '../client/status.js';
import type { ProgressReporter } from './reporter.js';
import { reusedLine } from './reused.js';
import { shownLine, shownLogLine } from '../shown-text.js';
import type { ExpectedSteps } from './expected-steps.js';
import { progressLine } from './forecast.js';
import { StepBoard, describeStep } from './step-board.js';

const REDRAW_MS = 100;
/** Where nothing happens: what is left is told anew. */
const IDLE_REDRAW_MS = 1000;
const MAX_LIVE_LINES = 8;

export interface TerminalOptions {
  write(text: string): void;
  /** Redraws lines in place. */
  live: boolean;
  /** Width of the terminal; some pseudo-terminals say 0, which the caller must not pass on. */
  columns(): number;
  /** What the plan says beforehand; absent where it is not known. */
  expected?: ExpectedSteps;
}

export function terminalReporter(options: TerminalOptions): ProgressReporter {
  return new TerminalReporter(options);
}

class TerminalReporter implements ProgressReporter {
  private readonly board = new StepBoard();
  private drawnLines = 0;
  private ended = false;
  private redraw: NodeJS.Timeout | undefined;
  private idle: NodeJS.Timeout | undefined;
  /** The newest event's time by the run's clock, which need not be this machine's, and when it came by this one's. */
  private newest = { atMs: 0, cameMs: 0 };

  constructor(private readonly options: TerminalOptions) {}

  submitted(runId: string, name: string, existing: boolean): void {
    this.line(`${existing ? 'following' : 'run'} ${runId}${name === '' ? '' : ` (${shownLine(name)})`}`);
  }

  event({ event, at }: run.RunEvent): void {
    if (event?.$case === 'note') this.line(`${placeOf(event.value)}${shownLogLine(event.value.text)}`);
    if (event?.$case === 'taskStatus' && event.value.task !== undefined) this.task(event.value.task, at ?? new Date());
  }

  past({ event }: run.RunEvent): void {
    if (event?.$case === 'taskStatus' && event.value.task !== undefined) this.board.remember(event.value.task);
  }

  end(): void {
    clearTimeout(this.redraw);
    clearTimeout(this.idle);
    this.redraw = this.idle = undefined;
    this.erase();
    const reused = reusedLine(this.board.cached(), this.board.totals().succeeded);
    if (reused !== undefined && !this.ended) this.options.write(`${reused}\n`);
    this.ended = true;
  }

  private task(task: run.Task, at: Date): void {
    this.newest = { atMs: at.getTime(), cameMs: Date.now() };
    const { state, change } = this.board.update(task, at.getTime());
    const label = task.step === '' ? 'tool' : shownLine(task.step);
    if (change === 'started' && !this.options.live) this.line(`[${label}] started`);
    if (change === 'finished') this.line(`[${label}] ${describeStep(state)}${this.duration(task.step, at)}`);
    if (task.status === run.TaskStatus.FAILED && change !== 'finished')
      this.line(`[${label}${task.index === '' ? '' : `[${task.index}]`}] ${taskWord(task.status)}`);
    this.draw();
  }

  private duration(step: string, at: Date): string {
    const since = this.board.startedMs(step);
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
      this.show();
    }, REDRAW_MS);
    this.redraw.unref();
  }

  private show(): void {
    this.erase();
    const lines = this.lines();
    for (const text of lines) this.options.write(`${pc.dim(text.slice(0, this.options.columns() - 1))}\n`);
    this.drawnLines = lines.length;
    clearTimeout(this.idle);
    if (lines.length > 0) this.idle = setTimeout(() => this.show(), IDLE_REDRAW_MS).unref();
  }

  /** A run of a single task has no bar: nothing is between its beginning and its end. */
  private lines(): string[] {
    const steps = this.board.running();
    const shown = steps
      .slice(0, MAX_LIVE_LINES)
      .map((state) => `  ${state.step === '' ? 'tool' : shownLine(state.step)}: ${describeStep(state)}`);
    if (steps.length > shown.length) shown.push(`  … and ${steps.length - shown.length} more steps`);
    const { expected } = this.options;
    const total = Math.max(this.board.known(), expected?.paths.size ?? 0);
    return total > 1 ? [...shown, progressLine(this.board, expected, this.newest.atMs + Date.now() - this.newest.cameMs)] : shown;
  }

  private erase(): void {
    if (this.drawnLines > 0) this.options.write(`\u001b[${this.drawnLines}A\u001b[0J`);
    this.drawnLines = 0;
  }
}

function placeOf({ step, index }: run.Note): string {
  return step === '' ? '' : `[${shownLine(step)}${index === '' ? '' : `[${index}]`}] `;
}

/** Makes a golden log: the run's document is loaded and its expressions are evaluated as a scheduler does; its tools answer by a script. */
import { CURRENT_RULES, type Command, decide, type EngineEvent, initialState } from '@weft/engine';
import type { StartedEvaluator } from '@weft/expressions';
import type { CwlObject, Plan } from '@weft/plan';
import { createLogger } from '@weft/platform';
import { loadSubmission } from '../../src/loading/load-submission.js';
import type { TaskReleaser } from '../../src/admission/task-releaser.js';
import { CommandRunner } from '../../src/commands/command-runner.js';
import { openReach } from '../open-reach.js';
import type { Kind, RunTask } from './kinds.js';
import { endOf, type GoldenEntry, type GoldenLog, told } from './replay.js';
import { aRunHeader } from '@weft/testing';
import { anOwnedRun } from '../an-owned-run.js';

/** Entries are a second apart. */
const BEGINS_MS = 1_750_000_000_000;
const RUN_ID = 'r-golden';

export async function recordGolden(name: string, kind: Kind, evaluator: StartedEvaluator): Promise<GoldenLog> {
  const { plan, planHash, inputs } = await loaded(kind);
  return new Recording(name, kind, plan, evaluator).run({ planHash, inputs });
}

async function loaded({ document, inputs }: Kind): Promise<{ plan: Plan; planHash: string; inputs: CwlObject }> {
  const bundle =
    'rootUri' in document && 'files' in document
      ? (document as { rootUri: string; files: Record<string, string> })
      : { rootUri: 'file:///golden.cwl', files: { 'file:///golden.cwl': JSON.stringify(document) } };
  const found = await loadSubmission({ document: bundle, job: { inputsJson: JSON.stringify(inputs), baseUri: 'file:///' } });
  if (!found.plan || !found.inputs || found.hash === undefined) throw new Error(found.diagnostics.map(({ message }) => message).join('\n'));
  return { plan: found.plan, planHash: found.hash, inputs: found.inputs };
}

class Recording {
  private readonly state;
  private readonly entries: GoldenEntry[] = [];
  private readonly commands: CommandRunner;
  /** Answers that are to come, in order. */
  private due: EngineEvent[] = [];
  /** Attempts that nobody has answered. */
  private open: RunTask[] = [];
  private answer: Kind['answer'];
  private evaluating = 0;
  private wake = (): void => undefined;

  constructor(
    private readonly name: string,
    private readonly kind: Kind,
    private readonly plan: Plan,
    evaluator: StartedEvaluator,
  ) {
    this.state = initialState(plan);
    this.answer = kind.answer;
    const never = (): Promise<never> => Promise.reject(new Error('no file is read here'));
    const releaser = {
      offer: (_actor: unknown, tasks: RunTask[]) => this.begin(tasks),
      cancel: (_actor: unknown, tasks: never[]) => this.stop(tasks),
    };
    this.commands = new CommandRunner({
      ...{
        releaser: releaser as unknown as TaskReleaser,
        evaluator,
        reach: openReach({ stat: never, readText: never, list: never }),
      },
      logger: createLogger('golden', 'silent'),
      // What waits for a back-off comes at once: how long it was to wait is in the decision.
      clock: { now: () => 0, after: (_ms, work) => (work(), () => undefined) },
    });
  }

  async run({ planHash, inputs }: { planHash: string; inputs: CwlObject }): Promise<GoldenLog> {
    const options = { noContainer: true, maxAttempts: 3, ...this.kind.options };
    this.feed({ type: 'RunAccepted', runId: RUN_ID, planHash, inputs, options, rules: CURRENT_RULES });
    await this.untilOver();
    if (this.kind.retried) {
      this.answer = this.kind.retried;
      this.feed({ type: 'RunRetried' });
      await this.untilOver();
    }
    return { kind: this.name, plan: this.plan, end: endOf(this.state), entries: this.entries };
  }

  private async untilOver(): Promise<void> {
    while (this.state.endedAtMs === undefined) {
      const event = this.kind.backwards ? this.due.pop() : this.due.shift();
      if (event) this.feed(event);
      else if (this.evaluating > 0) await new Promise<void>((resolve) => (this.wake = resolve));
      else throw new Error(`'${this.name}' does not end after ${this.entries.length} entries: ${this.entries.at(-1)?.event.type}`);
    }
  }

  private feed(event: EngineEvent): void {
    const atMs = BEGINS_MS + 1_000 * this.entries.length;
    const decision = decide(this.state, event, atMs);
    this.entries.push({ atMs, event, ...told(decision) });
    this.carryOut(decision.commands);
    const outside = this.kind.meanwhile?.[this.entries.length]?.(this.open) ?? [];
    for (const said of outside) this.feed(said);
  }

  private carryOut(commands: Command[]): void {
    const end = commands.find((command) => command.type === 'EndRun');
    if (end) {
      const { status, failure } = end;
      return this.feed({ type: 'RunEnded', status, ...(failure && { failure }) });
    }
    const evaluations = commands.filter(({ type }) => type === 'EvaluateBindings' || type === 'EvaluateExpressionTool').length;
    this.evaluating += evaluations;
    this.commands.execute(
      anOwnedRun({
        ...{ plan: this.plan, runId: RUN_ID, base: aRunHeader({ runId: RUN_ID, projectId: 'golden' }) },
        offer: async (event) => {
          this.evaluated(event);
          return true;
        },
      }),
      commands,
    );
  }

  private evaluated(event: EngineEvent): void {
    this.evaluating -= 1;
    this.due.push(event);
    this.wake();
  }

  private begin(tasks: RunTask[]): void {
    for (const task of tasks) {
      const { taskId, attempt } = task;
      const answer = this.answer?.(task) ?? {};
      if (attempt === 1 && !this.kind.quiet)
        this.due.push({ type: 'TaskPreparing', taskId, attempt, runnerId: 'a', runtime: 'process', doing: 'staging its inputs' });
      if (!this.kind.quiet) this.due.push({ type: 'TaskStarted', taskId, attempt, runnerId: attempt % 2 ? 'a' : 'b', runtime: 'process' });
      if (answer === 'nothing') this.open.push(task);
      else if (answer.type === 'TaskFailed') this.due.push({ taskId, attempt, ...answer } as EngineEvent);
      else this.due.push({ type: 'TaskSucceeded', taskId, attempt, outputs: this.outputsOf(task), ...answer } as EngineEvent);
    }
  }

  private stop(tasks: { taskId: string; attempt: number }[]): void {
    for (const { taskId, attempt } of tasks) this.due.push({ type: 'TaskCancelled', taskId, attempt });
  }

  /** Files where its tool declares files, else what it was given. */
  private outputsOf({ process, taskId, inputs }: RunTask): CwlObject {
    const tool = this.plan.processes[process];
    const said = Object.values(inputs).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
    const valueOf = (name: string, type: unknown): CwlObject | string =>
      JSON.stringify(type).includes('File')
        ? { class: 'File', location: `file:///data/${taskId}/${name}`, basename: name }
        : `${tool?.class === 'CommandLineTool' ? 'said' : ''} ${said.join(',')}`.slice(0, 60);
    return Object.fromEntries((tool && 'outputs' in tool ? tool.outputs : []).map(({ name, type }) => [name, valueOf(name, type)]));
  }
}

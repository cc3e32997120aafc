/**
 * The safety properties of every history, by name. The monitor sees what reaches store, queue, runners and storage, and replays logs by itself:
 * it asks none of the parts it watches.
 */
import { decide, initialState, type EngineEvent, type RunState } from '@weft/engine';
import { canonicalJson, type CwlObject, type Plan } from '@weft/plan';
import type { TaskJob } from '@weft/queue';
import type { Lease, LogEntry, RunHeader } from '@weft/run-store';
import { type FakeRunStoreData, Properties } from '@weft/testing';
import type { FakeSlotsData } from '../fake-project-slots.js';
import type { SimulatedFiles } from './simulated-files.js';
import { contentOf, textOf, writesFile } from './tools.js';

export type Property =
  | 'outputs are those of an undisturbed run'
  | 'with continue, everything that can succeed has'
  | "a task's result is accepted at most once"
  | 'what is accepted is what its call gives'
  | 'a hit has the outputs of an execution of the same call'
  | 'identical tasks in flight share one execution'
  | 'a file is there as long as somebody needs it'
  | 'nothing that succeeded is executed again by a retry'
  | 'what is archived reads as before'
  | 'finished runs leave the store'
  | 'sequence numbers have no gaps'
  | 'RunEnded is there once per start, and last'
  | 'the end follows from the log'
  | 'no append by a fenced owner'
  | 'no command is acted on before its cause is in the log'
  | 'a task of a limited project is added only with a slot'
  | 'slots of a project are never more than its limit'
  | 'a run has no more tasks in flight than it may'
  | 'a runner that drains is given nothing new'
  | 'nothing is left behind'
  | 'when faults stop, every run ends'
  | 'a loss is told only where there was one';

export interface LoggedRun {
  header: RunHeader;
  objects: { outputs?: string };
  log: LogEntry[];
}

interface Replay {
  plan: Plan;
  state: RunState;
  read: number;
  /** What the engine asked for, by attempt: "<task id>.<attempt>". */
  commanded: Map<string, { tool: string; inputs: CwlObject }>;
  /** The same of logs that the store has lost the end of. */
  commandedBefore: Set<string>;
  accepted: Map<string, number>;
}

export class Monitor extends Properties<Property> {
  /** Files that somebody has removed or changed: what they were promised as counts no more. */
  readonly vandalised = new Set<string>();
  /** How often the store has lost its newest writes. */
  cuts = 0;
  /** Runs whose logs it has cut back. */
  private readonly cutRuns = new Set<string>();
  /** What executions have given, however their attempts ended. */
  readonly executed = new Set<string>();
  private readonly plans = new Map<string, Plan>();
  private readonly replays = new Map<string, Replay>();
  /** What was accepted long ago, and may have been needless since, is looked at once more. */
  private rereading = false;
  private readonly granted = new Map<number, number>();
  /** Runs as they were when they were last in the store. */
  private readonly runs = new Map<string, LoggedRun>();

  constructor(
    private readonly store: FakeRunStoreData,
    private readonly slots: FakeSlotsData,
    private readonly files: SimulatedFiles,
  ) {
    super();
  }

  /** Before the first run of it; the store may let it go with the last. */
  submitted(runId: string, plan: Plan): void {
    this.plans.set(this.runOf(runId)?.header.planHash ?? '', plan);
    this.replay(runId);
  }

  leased(leases: Lease[]): void {
    for (const { partition, token } of leases) this.granted.set(partition, Math.max(token, this.granted.get(partition) ?? 0));
  }

  appended(lease: Lease, runId: string, accepted: boolean): void {
    const newest = this.granted.get(lease.partition) ?? 0;
    if (accepted && lease.token < newest)
      this.violate('no append by a fenced owner', `${runId} under token ${lease.token}, newest is ${newest}`);
    if (accepted) this.replay(runId);
  }

  /** The store loses its newest writes: what follows from the logs is begun again. What had a cause before keeps having had one. */
  cutBack(restore: () => void): void {
    const before = new Map([...this.store.runs].map(([runId, { log }]) => [runId, log]));
    for (const runId of before.keys()) this.replay(runId);
    restore();
    this.cuts += 1;
    for (const [runId, log] of before) if ((this.store.runs.get(runId)?.log.length ?? 0) < log.length) this.cutRuns.add(runId);
    this.rereading = true;
    for (const [runId, { commanded, commandedBefore }] of [...this.replays]) {
      this.replays.delete(runId);
      this.replay(runId).commandedBefore = new Set([...commandedBefore, ...commanded.keys()]);
    }
    this.rereading = false;
    this.granted.clear();
    for (const [partition, { token }] of this.store.leases) this.granted.set(partition, token);
  }

  /** A replica says that the store has lost what it had read of a run. */
  lossTold(runId: string): void {
    if (!this.cutRuns.has(runId)) this.violate('a loss is told only where there was one', runId);
  }

  jobsAdded(jobs: TaskJob[], limited = false): void {
    if (limited) this.checkSlots(jobs);
    for (const { runId, taskId, attempt } of jobs) {
      const { commanded, commandedBefore } = this.replay(runId);
      if (commanded.has(`${taskId}.${attempt}`) || commandedBefore.has(`${taskId}.${attempt}`)) continue;
      this.violate('no command is acted on before its cause is in the log', `job ${taskId}.${attempt} of ${runId}`);
    }
  }

  private checkSlots(jobs: TaskJob[]): void {
    for (const { runId, taskId, attempt, projectId = '' } of jobs) {
      // What an owner adds too late is answered, or tried again, already: nobody begins it.
      if (this.isOpen(runId, taskId, attempt) && !this.slots.project(projectId).held.has(`${taskId}.${attempt}`))
        this.violate('a task of a limited project is added only with a slot', `job ${taskId}.${attempt}`);
    }
  }

  /** Whether the log wants an answer of the attempt. */
  isOpen(runId: string, taskId: string, attempt: number): boolean {
    const { state } = this.replay(runId);
    const task = state.tasks.get(taskId);
    return state.phase === 'running' && task?.attempt === attempt && (task.status === 'queued' || task.status === 'running');
  }

  /** The run as the store has it, or had it last. */
  runOf(runId: string): LoggedRun | undefined {
    const live = this.store.runs.get(runId);
    if (live) this.runs.set(runId, live);
    return live ?? this.runs.get(runId);
  }

  isOver(runId: string): boolean {
    const live = this.store.runs.get(runId);
    return live ? live.sealed : this.runs.has(runId);
  }

  /** The log as the engine sees it, read as far as it is now. */
  replay(runId: string): Replay {
    const run = this.runOf(runId);
    if (!run) throw new Error(`the simulation has no run ${runId}`);
    const known = this.replays.get(runId) ?? this.beginReplay(run);
    this.replays.set(runId, known);
    for (; known.read < run.log.length; known.read++) {
      const entry = run.log[known.read] as LogEntry;
      this.replayEntry(runId, known, entry.event as unknown as EngineEvent, entry.atMs);
    }
    return known;
  }

  private beginReplay({ header }: LoggedRun): Replay {
    const plan = this.plans.get(header.planHash);
    if (!plan) throw new Error(`the simulation has no plan ${header.planHash}`);
    return { plan, state: initialState(plan), read: 0, commanded: new Map(), commandedBefore: new Set(), accepted: new Map() };
  }

  private replayEntry(runId: string, replay: Replay, event: EngineEvent, atMs: number): void {
    const { phase, final, outputs } = replay.state;
    if (event.type === 'RunEnded' && (phase !== 'ended' || final !== event.status || !same(outputs, event.outputs ?? outputs)))
      this.violate('the end follows from the log', `${runId} ended ${event.status} while ${phase} ${final ?? ''}`);
    const { commands, ignored } = decide(replay.state, event, atMs);
    if (event.type === 'TaskSucceeded' && ignored === undefined) this.accepted(replay, event);
    for (const command of commands) {
      if (command.type !== 'RunTask') continue;
      const { taskId, attempt, process: tool, inputs } = command;
      replay.commanded.set(`${taskId}.${attempt}`, { tool, inputs });
      if (replay.accepted.has(taskId)) this.violate('nothing that succeeded is executed again by a retry', `${taskId}.${attempt}`);
    }
  }

  private accepted(replay: Replay, { taskId, attempt, outputs, cached }: Extract<EngineEvent, { type: 'TaskSucceeded' }>): void {
    const times = (replay.accepted.get(taskId) ?? 0) + 1;
    replay.accepted.set(taskId, times);
    if (times > 1) this.violate("a task's result is accepted at most once", `${taskId} ${times} times`);
    const call = replay.commanded.get(`${taskId}.${attempt}`);
    if (!call) return;
    const text = textOf(call);
    const given = writesFile(call.tool) ? contentOf((outputs['out'] as { checksum?: string } | null)?.checksum) : outputs['out'];
    if (given !== text) this.violate('what is accepted is what its call gives', `${taskId}.${attempt} gave ${String(given)}, not ${text}`);
    if (cached && !this.executed.has(text)) this.violate('a hit has the outputs of an execution of the same call', `${taskId}: ${text}`);
    if (!this.rereading) this.checkFiles(outputs, `${taskId}.${attempt} succeeded${cached ? ' by a hit' : ''}`);
  }

  /** That files are there, and hold what is said of them. */
  checkFiles(outputs: CwlObject | undefined, whose: string): void {
    for (const { location, checksum } of filesIn(outputs)) {
      if (this.vandalised.has(location)) continue;
      const text = this.files.texts.get(location);
      if (text !== contentOf(checksum))
        this.violate(
          'a file is there as long as somebody needs it',
          `${whose}: ${location} ${text === undefined ? 'is gone' : `holds ${text}`}`,
        );
    }
  }
}

function filesIn(value: unknown): { location: string; checksum: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('location' in value && 'checksum' in value) return [value as { location: string; checksum: string }];
  return Object.values(value).flatMap(filesIn);
}

function same(a: CwlObject | undefined, b: CwlObject | undefined): boolean {
  return canonicalJson([a]) === canonicalJson([b]);
}

export function show(log: LogEntry[]): string {
  return log
    .map(({ event }) => [event.type, event['taskId'] ?? event['node'], event['attempt']].filter((part) => part !== undefined).join(' '))
    .join(', ');
}

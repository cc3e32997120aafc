/**
 * The runner's admission of attempts: the machine of admission.machine.ts with promises around it, and the size of the disk.
 *
 * Invariants:
 *  1. An attempt that fits is admitted at once, without a turn of the event loop.
 *  2. Whoever was admitted or adopted holds its share until `leave`; whoever waits is out of the queue in the moment it leaves.
 */
import type { executor } from '@weft/contracts';
import { type AdmissionDecision, type AdmissionEvent, type Amounts } from './admission.machine.js';
import { decideAdmission, initialAdmission, refusal } from './admission.machine.js';
import { diskCapacity } from './disk-capacity.js';

/** How long smaller tasks may pass one that waits. */
const PATIENCE_MS = 30_000;

/** Ids of the GPUs that are the attempt's. */
export type Admitted = { devices: readonly string[] };

export interface AdmissionOptions {
  cores: number;
  ramBytes: number;
  devices: readonly string[];
  /** Free bytes of the sandboxes' file system, read now; or the operator's figure. */
  disk: { freeBytes: () => number } | { totalBytes: number };
  nowMs?: () => number;
  patienceMs?: number;
}

interface Waiter {
  resolve: (admitted: Admitted | undefined) => void;
  refuse: (reason: string) => void;
}

export class Admission {
  private state;
  private readonly waiters = new Map<string, Waiter>();
  private readonly nowMs: () => number;

  constructor(private readonly options: AdmissionOptions) {
    const { cores, ramBytes, devices, disk, nowMs = () => performance.now(), patienceMs = PATIENCE_MS } = options;
    this.nowMs = nowMs;
    const diskBytes = 'totalBytes' in disk ? disk.totalBytes : disk.freeBytes();
    this.state = initialAdmission({ cores, ramBytes, devices, diskBytes }, patienceMs);
  }

  /** Why it could never be admitted here; undefined where it could. */
  refusal(need: Amounts): string | undefined {
    if (need.diskBytes > 0) this.measureDisk();
    return refusal(this.state, need);
  }

  /**
   * At once where there is room; else a promise of it, which gives undefined where the attempt left the queue instead.
   * @param onRefused called where it turns out while it waits that it never will be admitted; the promise is not settled then
   */
  ask(key: string, need: Amounts, onRefused: (reason: string) => void): Admitted | Promise<Admitted | undefined> {
    let answer: Admitted | undefined;
    let refused = false;
    this.waiters.set(key, { resolve: (admitted) => (answer = admitted), refuse: () => (refused = true) });
    this.apply({ type: 'ask', key, need, nowMs: this.nowMs() });
    if (answer !== undefined) return answer;
    return new Promise((resolve) => {
      if (refused) onRefused(refusal(this.state, need) ?? 'it does not fit');
      else this.waiters.set(key, { resolve, refuse: onRefused });
    });
  }

  adopt(key: string, need: Amounts, devices: readonly string[]): void {
    this.apply({ type: 'adopt', key, need, devices });
  }

  leave(key: string): void {
    const waiter = this.waiters.get(key);
    this.waiters.delete(key);
    waiter?.resolve(undefined);
    const { held, waiting } = this.state;
    const diskMatters = waiting.some((other) => other.key !== key && other.need.diskBytes > 0);
    const diskBytes = diskMatters ? this.measuredDisk(held.get(key)?.need.diskBytes) : undefined;
    this.apply({ type: 'leave', key, nowMs: this.nowMs(), diskBytes });
  }

  /** As of now. */
  report(): { capacity: Amounts; inUse: Amounts; admitted: number; waiting: number } {
    this.measureDisk();
    const { capacity, held, waiting } = this.state;
    const { devices, ...amounts } = capacity;
    return {
      capacity: { ...amounts, gpus: devices.length },
      inUse: this.state.inUse,
      admitted: held.size,
      waiting: waiting.length,
    };
  }

  private measureDisk(): void {
    const diskBytes = this.measuredDisk();
    if (diskBytes !== this.state.capacity.diskBytes) this.apply({ type: 'disk', diskBytes, nowMs: this.nowMs() });
  }

  /** @param givenBackBytes not reserved any more */
  private measuredDisk(givenBackBytes = 0): number {
    const { disk } = this.options;
    const known = this.state.capacity.diskBytes;
    return 'totalBytes' in disk ? known : diskCapacity(known, disk.freeBytes(), this.state.inUse.diskBytes - givenBackBytes);
  }

  private apply(event: AdmissionEvent): void {
    const decision: AdmissionDecision = decideAdmission(this.state, event);
    this.state = decision.state;
    for (const { key, devices } of decision.admitted) this.take(key)?.resolve({ devices });
    for (const { key, reason } of decision.refused) this.take(key)?.refuse(reason);
  }

  private take(key: string): Waiter | undefined {
    const waiter = this.waiters.get(key);
    this.waiters.delete(key);
    return waiter;
  }
}

/** What an attempt asks for. Schedulers of earlier versions do not say. */
export function needOf({ reserved }: executor.TaskSpec): Amounts {
  return reserved ?? { cores: 0, ramBytes: 0, diskBytes: 0, gpus: 0 };
}

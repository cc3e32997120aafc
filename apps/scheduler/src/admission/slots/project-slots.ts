/**
 * Slots for tasks of projects whose number is limited over all replicas. An attempt has its slot from before its release until its answer is in
 * the log. A slot is named after its attempt, `<task id>.<attempt>`; task ids begin with their run's id and '-'.
 *
 * Invariants (of every implementation):
 *  1. Of a project, no more slots are held than the limit says that was given with the last acquire.
 *  2. A slot is its attempt's: asked for again, it is the same one. A dead owner's slots go over to the next owner of its runs.
 *  3. An owner whose run was taken over (a greater token was seen) gets and gives back nothing any more.
 *  4. Who was refused a slot is told when one has come free.
 */
export interface RunOwner {
  project: string;
  runId: string;
  /** Greater for every later owner: later leases on the run's partition, and later actors over one lease. */
  token: number;
}

export interface ProjectSlots {
  /** Takes slots in this order; how many, from the first on, are held now. 'fenced': the run is another's. */
  acquire(owner: RunOwner, limit: number, slots: string[]): Promise<number | 'fenced'>;
  release(owner: RunOwner, slots: string[]): Promise<void>;
  /** Slots that the run holds; from now on earlier owners are fenced. */
  claim(owner: RunOwner): Promise<string[]>;
  /** The run has ended: gives back whatever it holds. */
  end(owner: RunOwner): Promise<void>;
  /** `onFree(project)` when a slot came free that somebody was refused; without a project where such news may have been missed. */
  watch(onFree: (project?: string) => void): Promise<void>;
  close(): Promise<void>;
}

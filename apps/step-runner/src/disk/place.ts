/** Where a task's files are. */
export interface Place {
  key: string;
  /** All that it can write to lies below. */
  directory: string;
  /** Of its container, where it runs in one. */
  container?: string;
}

/** What a service and its threads say to each other: first what the thread is called, for its processor time; then one answer for each task. */
export type FromThread<Answer> =
  { kind: 'started'; threadPath: string | undefined } | { kind: 'done'; answer: Answer } | { kind: 'failed'; message: string };

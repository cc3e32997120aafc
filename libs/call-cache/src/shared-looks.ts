/**
 * Work that answers for the moment at which it was asked for: who asks while one is under way shares the next one, which begins when that has ended.
 * So one look is made at a time, however many ask, and nobody is told what was seen before they asked.
 */
export class SharedLooks<T> {
  private readonly running = new Map<string, { ended: Promise<void>; next?: Promise<T> }>();

  ask(key: string, look: () => Promise<T>): Promise<T> {
    const running = this.running.get(key);
    if (running === undefined) return this.begin(key, look);
    running.next ??= running.ended.then(() => this.begin(key, look));
    return running.next;
  }

  private begin(key: string, look: () => Promise<T>): Promise<T> {
    const answer = look();
    const forget = (): void => {
      if (this.running.get(key) === entry) this.running.delete(key);
    };
    const entry: { ended: Promise<void>; next?: Promise<T> } = { ended: answer.then(forget, forget) };
    this.running.set(key, entry);
    return answer;
  }
}

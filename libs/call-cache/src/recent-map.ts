/** A map that keeps the members used last. */
export class RecentMap<V> {
  private readonly members = new Map<string, V>();

  constructor(private readonly limit: number) {}

  get(key: string): V | undefined {
    const value = this.members.get(key);
    if (value === undefined) return undefined;
    this.members.delete(key);
    this.members.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.members.delete(key);
    this.members.set(key, value);
    if (this.members.size > this.limit) for (const oldest of this.members.keys()) if (this.members.delete(oldest)) break;
  }

  delete(key: string): void {
    this.members.delete(key);
  }
}

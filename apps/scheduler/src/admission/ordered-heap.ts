/**
 * A binary heap whose members know their place, so that one whose rank has changed is moved in logarithmic time.
 *
 * Invariants: `place` of a member is its index, of anything else -1; a member is in one heap at a time.
 */

export interface HeapMember {
  place: number;
}

export class OrderedHeap<T extends HeapMember> {
  private readonly members: T[] = [];

  /** @param before whether a comes before b; a strict order */
  constructor(private readonly before: (a: T, b: T) => boolean) {}

  get first(): T | undefined {
    return this.members[0];
  }

  get size(): number {
    return this.members.length;
  }

  /** Puts it where it belongs now: adds, moves, or takes out. */
  set(member: T, present: boolean): void {
    if (!present) {
      if (member.place >= 0) this.remove(member);
      return;
    }
    if (member.place < 0) {
      member.place = this.members.length;
      this.members.push(member);
    }
    this.down(this.up(member.place));
  }

  private remove(member: T): void {
    const { place } = member;
    const last = this.members.pop() as T;
    member.place = -1;
    if (last === member) return;
    this.put(last, place);
    this.down(this.up(place));
  }

  private up(from: number): number {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!this.before(this.at(place), this.at(above))) break;
      this.swap(place, above);
      place = above;
    }
    return place;
  }

  private down(from: number): void {
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      if (left >= this.members.length) return;
      const right = left + 1;
      const least = right < this.members.length && this.before(this.at(right), this.at(left)) ? right : left;
      if (!this.before(this.at(least), this.at(place))) return;
      this.swap(place, least);
      place = least;
    }
  }

  private swap(a: number, b: number): void {
    const member = this.at(a);
    this.put(this.at(b), a);
    this.put(member, b);
  }

  private put(member: T, place: number): void {
    this.members[place] = member;
    member.place = place;
  }

  private at(place: number): T {
    return this.members[place] as T;
  }
}

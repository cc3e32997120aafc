/**
 * Which of the remarks on an attempt's preparation change its state, and go into the run's log: the first of each kind. A pull says many times how
 * far it is; a log that holds all of it would be made of that.
 */

/** Kinds of one attempt that are told, at most. */
const MAX_KINDS = 5;
/** Of a remark, what goes into the log. */
const MAX_LENGTH = 300;

export class Preparations {
  private readonly kinds = new Set<string>();

  /** A kind is what a remark begins with: "pulling", "staging", "waiting". */
  isNew(text: string): boolean {
    const [kind = ''] = text.split(/[\s:]/, 1);
    if (this.kinds.has(kind) || this.kinds.size >= MAX_KINDS) return false;
    this.kinds.add(kind);
    return true;
  }
}

export const remark = (text: string): string => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);

/**
 * What becomes of a slot, by what lies at its target. Pure; the whole rule is this table:
 *
 *                       | a file is to lie here        | a folder is to lie here
 *   nothing             | write                        | make
 *   plain file          | replace, whole, by a rename  | beside
 *   folder              | beside                       | merge
 *   link, FIFO, device… | beside                       | beside
 *   the source itself   | keep                         | merge
 *
 * Beside all the same, whatever lies there: what is an input of the run (by device and inode, so by any name), what came or changed while the run was
 * under way (another delivery's, or the user's), what is weft's own, and what the user may not write. "Beside" is for the whole group.
 */
export interface There {
  kind: 'absent' | 'file' | 'folder' | 'link' | 'other';
  /** An input of the run, or in a folder that is one. */
  isInput: boolean;
  /** What the output object names as its location. */
  isSource: boolean;
  /** Made or changed since the run began. */
  isNew: boolean;
  /** Belongs to weft: its home, or the files that deliveries work with. */
  isOwn: boolean;
  /** Why it could not be done at the last try. */
  blocked?: string;
}

/** The folder that it lies in. The output folder itself is the user's choice: new names may be written there even where it is an input. */
export interface Around {
  isInput: boolean;
  isClosed: boolean;
}

export type Verdict = { act: 'write' | 'make' | 'replace' | 'merge' | 'keep' } | { act: 'beside'; why: string };

const beside = (why: string): Verdict => ({ act: 'beside', why });

export function decide(slot: 'file' | 'folder', there: There, around: Around): Verdict {
  if (there.isOwn) return beside('belongs to weft');
  if (there.kind === slot && there.isSource && there.blocked === undefined) return { act: slot === 'file' ? 'keep' : 'merge' };
  if (there.blocked !== undefined) return beside(there.blocked);
  if (there.kind === 'link') return beside('is a link');
  if (there.kind === 'other') return beside('is neither a file nor a folder');
  if (there.isInput) return beside('is an input of the run');
  if (there.kind !== 'absent' && there.kind !== slot) return beside(`is a ${there.kind}`);
  if (there.kind === 'folder') return { act: 'merge' };
  if (around.isInput) return beside('would lie in an input of the run');
  if (around.isClosed) return beside('is in a folder in which you may not write');
  if (there.kind === 'absent') return { act: slot === 'file' ? 'write' : 'make' };
  return there.isNew ? beside('was put there or changed while the run was under way') : { act: 'replace' };
}

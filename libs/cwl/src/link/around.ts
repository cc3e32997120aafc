import type { Requirement } from '@weft/plan';

/** What will be in effect around the root process. */
export interface Around {
  requirements: readonly Requirement[];
  /** The document is looked at as something that workflows may run, from which it inherits what it lacks: that is a warning then. */
  isPart: boolean;
}

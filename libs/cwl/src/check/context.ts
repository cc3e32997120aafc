/** What every check is handed. */
import type { Reporter } from '../diagnostics.js';
import type { Version } from '../source/version.js';

export interface CheckContext {
  reporter: Reporter;
  version: Version;
  /** In a hint, which may be ignored: what is not known is said, and refuses nothing. */
  isHint?: boolean;
}

/** Weft's own home among what lies around an output folder: no outputs go into it. */
import { homeOf } from '../home.js';
import { isNotThere, whatSystemSaid } from './delivery-error.js';
import { type FileOps, identityOf } from './folder.js';

/** Undefined where there is none yet. @throws what `refuse` makes of a home that cannot be looked at */
export async function homeIdentity(ops: FileOps, refuse: (why: string) => Error): Promise<string | undefined> {
  const { root } = homeOf();
  try {
    return identityOf(await ops.stat(root, { bigint: true }));
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw refuse(whatSystemSaid(error, root));
  }
}

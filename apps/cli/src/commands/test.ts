/** `weft test`: every check of the repository, in one go. */
import { selfTest } from '../selftest/self-test.js';

export async function testCommand(options: { only: string[] }): Promise<void> {
  // A part that was ended may leave something that this process would wait for.
  process.exit(await selfTest(options.only));
}

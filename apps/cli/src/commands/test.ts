/** `weft test`: every check of the repository, in one go. */
import { selfTest } from '../selftest/self-test.js';

export async function testCommand(options: { only: string[] }): Promise<void> {
  process.exitCode = await selfTest(options.only);
}

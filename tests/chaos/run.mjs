// Builds the programs and this test, and becomes the test.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as buildPrograms } from '../../tools/build.mjs';
import { become } from '../bundled.mjs';

const here = dirname(fileURLToPath(import.meta.url));
if (process.env.WEFT_CHAOS_NO_BUILD !== '1') await buildPrograms({ log: (line) => process.stderr.write(`weft: ${line}\n`) });
await become('chaos', join(here, 'main.ts'), [resolve(here, '../../dist'), ...process.argv.slice(2)]);

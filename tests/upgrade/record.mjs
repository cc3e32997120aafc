// Builds the programs and the recorder, and becomes the recorder.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as buildPrograms } from '../../tools/build.mjs';
import { become } from '../bundled.mjs';

const here = dirname(fileURLToPath(import.meta.url));
if (process.env.WEFT_UPGRADE_NO_BUILD !== '1') await buildPrograms({ log: (line) => process.stderr.write(`weft: ${line}\n`) });
await become('record-upgrade', join(here, 'record.ts'), process.argv.slice(2));

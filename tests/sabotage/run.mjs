import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { become } from '../bundled.mjs';

await become('sabotage', join(dirname(fileURLToPath(import.meta.url)), 'main.ts'), process.argv.slice(2));

// Builds the programs and this test (TypeScript, like everything it imports), and becomes the test.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { build as buildPrograms } from '../../tools/build.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dist = resolve(here, '../../dist');
if (process.env.WEFT_CHAOS_NO_BUILD !== '1') await buildPrograms({ log: (line) => process.stderr.write(`weft: ${line}\n`) });
const bundle = join(dist, '.chaos', 'chaos.mjs');
mkdirSync(dirname(bundle), { recursive: true });
await build({
  entryPoints: [join(here, 'main.ts')],
  outfile: bundle,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
  plugins: [
    {
      // The project's own libraries are sources; what npm installed is loaded from where it lies.
      name: 'packages-stay-outside',
      setup: ({ onResolve }) =>
        onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
          kind === 'entry-point' || path.startsWith('@weft/') ? undefined : { path, external: true },
        ),
    },
  ],
});
const child = spawn(process.execPath, ['--enable-source-maps', bundle, dist, ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));

// Bundles every program of the repository into dist/: apps/<name>/src/main.ts → dist/<name>.mjs, and the programs of worker threads.
//
//   node tools/build.mjs [--force] [name …]
//
// 1. Incremental: a program is built again only when one of the files it was made of, the lock file or this tool changed.
// 2. Safe next to another build (one at a time) and next to running programs: files appear by rename, chunks carry their hash
//    in the name and old ones stay for a day, so that a program that is running can still load its own.
// 3. Files with decorators go through swc, because Nest needs the types of constructor parameters as metadata.
// 4. dist/ refers to node_modules only for what a package reads beside itself (`__dirname`, `import.meta.url`).
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exclusively } from './exclusive.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const stamps = join(dist, '.build');
const DAY_MS = 86_400_000;
/** Programs that show names of classes (Nest, OpenAPI). In the others, naming every closure again when it is made would be for nothing. */
const NAMED = new Set(['gateway', 'al-coordinator']);

/** What a stack runs: it takes a copy of these (apps/cli/src/stack/programs.ts). `core` is what `weft run` needs, `extra` what `weft up` adds. */
const manifestPath = join(dist, 'programs.json');
const SHIPPED = {
  core: { programs: ['cli', 'scheduler', 'step-runner', 'expression-worker', 'loading-worker'], folders: [], files: ['package.json'] },
  extra: {
    programs: ['al-coordinator', 'gateway', 'body-worker'],
    // Read beside the programs: contracts, templates, and the pages that packages bring.
    folders: [
      'dist/proto',
      'templates',
      'node_modules/@bull-board/ui',
      'node_modules/@grpc/reflection/build/proto',
      'node_modules/grpc-health-check/proto',
      'node_modules/swagger-ui-dist',
    ],
    files: [],
  },
};

/** What can be built: name in dist → source. */
function programs() {
  const found = readdirSync(join(root, 'apps'))
    .map((app) => [app, `apps/${app}/src/main.ts`])
    .concat([
      ['expression-worker', 'libs/expressions/src/worker.ts'],
      ['loading-worker', 'apps/scheduler/src/loading/worker.ts'],
      ['body-worker', 'apps/gateway/src/http/body/worker.ts'],
    ]);
  return new Map(found.filter(([, source]) => existsSync(join(root, source))));
}

/** Builds what is out of date. Answers with the names built; throws an Error with esbuild's messages when one cannot be. */
export async function build({ only = [], force = false, log = () => {} } = {}) {
  const known = programs();
  const unknown = only.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`no such program: ${unknown.join(', ')}; there are ${[...known.keys()].join(', ')}`);
  return exclusively(
    `build ${root}`,
    () => buildAll(known, { only, force, log }),
    () => log('waiting for another build'),
  );
}

async function buildAll(known, { only, force, log }) {
  mkdirSync(stamps, { recursive: true });
  const begun = new Date();
  const context = contextHash();
  const stale = [...known]
    .filter(([name]) => only.length === 0 || only.includes(name))
    .filter(([name]) => force || !isCurrent(name, context));
  if (stale.length > 0) log(`building ${stale.map(([name]) => name).join(', ')}`);
  const results = await Promise.allSettled(stale.map(([name, source]) => bundle(name, source, context)));
  if (stale.length > 0) {
    copyProtos();
    removeOldChunks();
  }
  const failures = results.filter((result) => result.status === 'rejected').map((result) => result.reason.message);
  if (failures.length > 0) throw new Error(failures.join('\n'));
  if (stale.length > 0 || !existsSync(manifestPath)) writeManifest();
  if (only.length === 0) stampAll(begun);
  return stale.map(([name]) => name);
}

/** Marks everything as current for the launcher, which compares the sources' times with this file's. */
function stampAll(begun) {
  const stamp = join(dist, '.stamp');
  writeFileSync(stamp, '');
  utimesSync(stamp, begun, begun);
}

/** What every program depends on besides its own sources. */
function contextHash() {
  const hash = createHash('sha1').update(process.versions.node.split('.')[0]);
  for (const file of ['package-lock.json', 'tools/build.mjs', 'tsconfig.json']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function isCurrent(name, context) {
  if (!existsSync(join(dist, `${name}.mjs`))) return false;
  const stamp = readStamp(name);
  if (stamp?.context !== context) return false;
  return Object.entries(stamp.inputs).every(([path, seen]) => {
    const now = statSync(join(root, path), { throwIfNoEntry: false });
    if (now === undefined) return false;
    return (now.size === seen.size && now.mtimeMs === seen.mtimeMs) || (now.size === seen.size && contentHash(path) === seen.sha1);
  });
}

function readStamp(name) {
  const path = join(stamps, `${name}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function contentHash(path) {
  return createHash('sha1')
    .update(readFileSync(join(root, path)))
    .digest('hex');
}

async function bundle(name, source, context) {
  const esbuild = await import('esbuild');
  const outdir = join(dist, `.tmp-${name}-${process.pid}`);
  const seen = new Map();
  const result = await esbuild
    .build({
      absWorkingDir: root,
      entryPoints: [{ in: source, out: name }],
      outdir,
      outExtension: { '.js': '.mjs' },
      chunkNames: `${name}.[hash]`,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      mainFields: ['module', 'main'],
      sourcemap: 'linked',
      sourcesContent: false,
      minifySyntax: true,
      minifyWhitespace: true,
      // Node prints the line of source at which something ends it.
      lineLimit: 160,
      keepNames: NAMED.has(name),
      legalComments: 'none',
      metafile: true,
      logLevel: 'silent',
      banner: { js: BANNER },
      plugins: [decorators(seen), besideThemselves(), optionalPackages()],
    })
    .catch((error) => {
      rmSync(outdir, { recursive: true, force: true });
      throw new Error(messagesOf(esbuild, name, error));
    });
  publish(outdir, name);
  const inputs = Object.keys(result.metafile.inputs).filter((path) => !path.includes('node_modules/') && !path.includes(':'));
  const stamp = { context, inputs: Object.fromEntries(inputs.map((path) => [path, seen.get(path) ?? fingerprint(path)])) };
  writeFileSync(join(stamps, `${name}.json`), JSON.stringify(stamp));
}

function messagesOf(esbuild, name, error) {
  if (!Array.isArray(error.errors)) return `${name}: ${error.message}`;
  return esbuild.formatMessagesSync(error.errors.slice(0, 10), { kind: 'error', color: process.stderr.isTTY === true }).join('\n');
}

function fingerprint(path) {
  const { size, mtimeMs } = statSync(join(root, path));
  return { size, mtimeMs, sha1: contentHash(path) };
}

/** Chunks first, the entry last: whoever starts the entry finds all of it. */
function publish(outdir, name) {
  const files = readdirSync(outdir).sort((a, b) => Number(a === `${name}.mjs`) - Number(b === `${name}.mjs`));
  for (const file of files) renameSync(join(outdir, file), join(dist, file));
  rmSync(outdir, { recursive: true });
}

function removeOldChunks() {
  const live = new Set();
  for (const name of programs().keys()) collectChunks(`${name}.mjs`, live);
  for (const file of readdirSync(dist)) {
    const bare = file.replace(/\.map$/, '');
    if (!/^[a-z-]+\.[A-Z0-9]{8}\.mjs$/.test(bare) || live.has(bare)) continue;
    if (Date.now() - statSync(join(dist, file)).mtimeMs > DAY_MS) rmSync(join(dist, file), { force: true });
  }
}

function collectChunks(file, live) {
  if (live.has(file) || !existsSync(join(dist, file))) return;
  live.add(file);
  for (const [, chunk] of readFileSync(join(dist, file), 'utf8').matchAll(/["']\.\/([a-z-]+\.[A-Z0-9]{8}\.mjs)["']/g))
    collectChunks(chunk, live);
}

/** Names the files of a build and the build itself, by their content alone. */
function writeManifest() {
  const hash = createHash('sha256');
  const parts = Object.entries(SHIPPED).map(([part, { programs: names, folders, files }]) => {
    const chunks = new Set();
    for (const name of names) collectChunks(`${name}.mjs`, chunks);
    const found = [...[...chunks].map((file) => `dist/${file}`), ...folders.flatMap(filesBelow), ...files].sort();
    for (const path of found) hash.update(`${path}\0${contentHash(path)}\n`);
    return [part, found];
  });
  const fresh = `${manifestPath}.${process.pid}`;
  writeFileSync(fresh, JSON.stringify({ id: hash.digest('hex').slice(0, 20), ...Object.fromEntries(parts) }));
  renameSync(fresh, manifestPath);
}

function filesBelow(folder) {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
  return paths.filter((path) => !path.endsWith('.map') && !path.includes('/tests/'));
}

/** proto-loader and server reflection read the .proto files themselves. */
function copyProtos() {
  cpSync(join(root, 'proto'), join(dist, 'proto'), { recursive: true });
}

// Bundled CommonJS packages call `require` for Node's own modules, and some look for files beside themselves.
const BANNER = [
  "import{createRequire as __weftCreateRequire}from'node:module';",
  "import{dirname as __weftDirname}from'node:path';",
  "import{fileURLToPath as __weftPath,pathToFileURL as __weftUrl}from'node:url';",
  'const require=__weftCreateRequire(import.meta.url);',
  "const __weftRoot=__weftPath(new URL('../',import.meta.url));",
].join('');

/** swc for files with decorators: esbuild knows no `emitDecoratorMetadata`. */
function decorators(seen) {
  return {
    name: 'decorators',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (path.includes('/node_modules/') && !path.includes('/node_modules/@weft/')) return undefined;
        const short = relative(root, path);
        const before = statSync(path);
        const text = readFileSync(path, 'utf8');
        seen.set(short, { size: before.size, mtimeMs: before.mtimeMs, sha1: createHash('sha1').update(text).digest('hex') });
        if (!/^\s*@[A-Z]\w*\(/m.test(text)) return { contents: text, loader: 'ts' };
        const { transform } = await import('@swc/core');
        const { code } = await transform(text, {
          filename: path,
          sourceMaps: 'inline',
          swcrc: false,
          jsc: {
            target: 'es2022',
            parser: { syntax: 'typescript', decorators: true },
            transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
            keepClassNames: true,
          },
          module: { type: 'es6' },
        });
        return { contents: code, loader: 'js' };
      });
    },
  };
}

/** Packages that look beside themselves (`__dirname`, `import.meta.url`) are told where they lie in node_modules. */
function besideThemselves() {
  return {
    name: 'beside-themselves',
    setup(build) {
      build.onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        const names = ['__dirname', '__filename', 'import.meta.url'].filter((name) => text.includes(name));
        if (names.length === 0) return undefined;
        const file = `__weftRoot+${JSON.stringify(relative(root, path))}`;
        if (names.includes('import.meta.url')) {
          return { contents: text.replaceAll('import.meta.url', `__weftUrl(${file}).href`), loader: 'js' };
        }
        const shebangless = text.replace(/^#!.*/, '');
        return { contents: `var __filename=${file},__dirname=__weftDirname(__filename);${shebangless}`, loader: 'js' };
      });
    },
  };
}

/** A package may ask for optional ones that are not installed, or for native addons: those are left for run time, where it copes. */
function optionalPackages() {
  const builtin = new Set(builtinModules);
  return {
    name: 'optional-packages',
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args) => {
        if (args.pluginData === 'looked-up' || args.kind === 'entry-point' || !args.importer.includes('/node_modules/')) return undefined;
        if (builtin.has(args.path) || args.path.startsWith('node:')) return { path: args.path, external: true };
        if (args.path.endsWith('.node')) return { path: args.path, external: true };
        const found = await build.resolve(args.path, {
          kind: args.kind,
          importer: args.importer,
          resolveDir: args.resolveDir,
          pluginData: 'looked-up',
        });
        return found.errors.length > 0 ? { path: args.path, external: true } : found;
      });
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const log = (line) => process.stderr.write(`weft: ${line}\n`);
  try {
    await build({ only: args.filter((arg) => !arg.startsWith('-')), force: args.includes('--force'), log });
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

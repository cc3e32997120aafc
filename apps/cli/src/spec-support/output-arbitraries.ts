/** Random things that lie in and around an output folder, random outputs, and what must hold of both after a delivery, however it ended. */
import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import type { CwlObject, Entry } from '@weft/plan';
import { visitFiles } from '@weft/plan';
import { type OutputWorld, snapshot, untruths } from './output-world.js';

const name = fc.constantFrom('a', 'b', 'd', 'e', '2', 'x y\n');
/** In the output folder, or beside it. */
const place = fc
  .tuple(fc.constantFrom('out', 'out', 'out', 'mine'), fc.array(name, { minLength: 1, maxLength: 3 }))
  .map(([root, names]) => join(root, ...names));

export interface Lying {
  path: string;
  kind: 'file' | 'read-only' | 'folder' | 'link' | 'hard link' | 'fifo';
  /** Of links: to which of the things before it. */
  to: number;
  isInput: boolean;
}

const lying: fc.Arbitrary<Lying> = fc.record({
  path: place,
  kind: fc.constantFrom<Lying['kind'][]>('file', 'file', 'read-only', 'folder', 'folder', 'link', 'hard link', 'fifo'),
  to: fc.nat(9),
  isInput: fc.boolean(),
});

export interface Output {
  name: string;
  kind: 'text' | 'stored' | 'folder' | 'stored folder' | 'passed on';
  /** Chooses bytes, or the input that is passed on. */
  seed: number;
  inner: Output[];
}

const { output } = fc.letrec<{ output: Output }>((tie) => ({
  output: fc.record({
    name,
    kind: fc.constantFrom<Output['kind'][]>('text', 'stored', 'stored', 'folder', 'folder', 'stored folder', 'passed on'),
    seed: fc.nat(5),
    inner: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant<Output[]>([]), fc.array(tie('output'), { maxLength: 3 })),
  }),
}));

export interface Scene {
  lies: Lying[];
  outputs: Output[];
  throughLink: boolean;
}

export const scene: fc.Arbitrary<Scene> = fc.record({
  lies: fc.array(lying, { maxLength: 8 }),
  outputs: fc.array(output, { minLength: 1, maxLength: 4 }),
  throughLink: fc.boolean(),
});

/** Lays the scene. What cannot be laid (a path below a file) is not there. */
export function lay(world: OutputWorld, { lies, throughLink }: Scene): { inputs: Entry[]; to: string } {
  const inputs: Entry[] = [];
  const laid: string[] = [];
  mkdirSync(join(world.root, 'mine'), { recursive: true });
  for (const [n, one] of lies.entries()) {
    const path = join(world.root, one.path);
    try {
      mkdirSync(dirname(path), { recursive: true });
      layOne(path, one, laid, `bytes of ${n}`);
    } catch {
      continue;
    }
    laid.push(path);
    // A hard link is what it is one of: a link or a FIFO is no input.
    const status = lstatSync(path);
    if (!one.isInput || !(status.isFile() || status.isDirectory())) continue;
    inputs.push({
      class: status.isDirectory() ? 'Directory' : 'File',
      location: pathToFileURL(path).href,
      basename: one.path.split('/').at(-1),
    } as Entry);
  }
  if (throughLink) symlinkSync('out', join(world.root, 'way'));
  return { inputs, to: throughLink ? join(world.root, 'way') : world.outdir };
}

function layOne(path: string, { kind, to }: Lying, laid: readonly string[], bytes: string): void {
  const other = laid.length === 0 ? '/nowhere' : laid[to % laid.length]!;
  if (kind === 'folder') mkdirSync(path);
  else if (kind === 'link') symlinkSync(other, path);
  else if (kind === 'hard link') linkSync(other, path);
  else if (kind === 'fifo') execFileSync('mkfifo', [path], { stdio: 'ignore' });
  else writeFileSync(path, bytes, { flag: 'wx' });
  if (kind === 'read-only') chmodSync(path, 0o400);
}

/** The output object. Inside a folder equally named things are left out: they are refused before anything is touched. */
export function outputObject(world: OutputWorld, outputs: readonly Output[], inputs: readonly Entry[], run = 'run'): CwlObject {
  let made = 0;
  const entryOf = ({ name: basename, kind, seed, inner }: Output): Entry => {
    made += 1;
    const id = made;
    // By the names that they have: one that is passed on keeps its own.
    const entries = inner.map(entryOf);
    const distinct = entries.filter(
      (one, n) => one.basename !== basename && entries.findIndex((other) => other.basename === one.basename) === n,
    );
    const folderPath = `${run}/${id}/${basename}`;
    switch (kind) {
      case 'text':
        return { class: 'File', basename, contents: `text ${run} ${seed}` };
      case 'stored':
        // Secondary files of secondary files lie in the same folder, too.
        return world.file(`${run}/${id}/${basename}`, `stored ${run} ${seed}`, {
          secondaryFiles: distinct.filter((one) => !one['secondaryFiles']),
        });
      case 'folder':
        return world.folder(basename, ...distinct.filter((one) => !(one['secondaryFiles'] as unknown[] | undefined)?.length));
      case 'stored folder':
        world.write(`store/${folderPath}/deep/f`, `deep ${run} ${seed}`);
        return { class: 'Directory', basename, location: world.uri(`store/${folderPath}`) };
      case 'passed on':
        return inputs[seed % Math.max(1, inputs.length)] ?? { class: 'File', basename, contents: `nothing passed on ${run}` };
    }
  };
  return { all: outputs.map(entryOf) };
}

/** Paths (from the world's root) of what the output object names. */
function named(world: OutputWorld, outputs: CwlObject): Set<string> {
  const paths = new Set<string>();
  visitFiles(outputs, ({ path }) => void paths.add((path ?? '').slice(world.root.length + 1).replace(/^way(?=\/)/, 'out')));
  return paths;
}

/** What must hold, whatever happened. @param outputs of every delivery that ended well @returns what does not hold */
export function harm(world: OutputWorld, before: Map<string, string>, outputs: readonly CwlObject[], inputs: readonly Entry[]): string[] {
  const after = snapshot(world.root);
  const found = outputs.flatMap(untruths);
  const delivered = new Set(outputs.flatMap((one) => [...named(world, one)]));
  const inputIdentities = new Set(
    inputs.map(({ location = '' }) => before.get(decodeURIComponent(new URL(location).pathname).slice(world.root.length + 1))),
  );
  for (const [path, what] of before) {
    if (after.get(path) === what) continue;
    const wasPlain = what.split(' ')[1] === '100000';
    if (!after.has(path)) found.push(`${path} is gone`);
    else if (!delivered.has(path)) found.push(`${path} is another one, and no output`);
    else if (!wasPlain || inputIdentities.has(what)) found.push(`${path} was no file that may be replaced`);
  }
  for (const path of after.keys()) {
    if (before.has(path) || delivered.has(path)) continue;
    if (![...delivered].some((one) => one.startsWith(`${path}/`))) found.push(`${path} is left behind`);
  }
  return found;
}

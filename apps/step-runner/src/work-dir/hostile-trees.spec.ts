/** Whatever a task leaves: nothing from outside is in any answer, nothing hangs, and what is refused is refused for good. */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { executor } from '@weft/contracts';
import { isServiceError } from '@weft/platform';
import fc from 'fast-check';
import { streamFilesOf } from '../sandbox/sandbox-layout.js';
import { WorkTreeError } from './faults.js';
import { CONTAINER_WORK_DIR, HostileSandbox, SECRET } from './hostile-sandbox.fixture.js';
import { placeStreams } from './streams.js';

const TREES = 10_000;
const PERMANENT = ['INVALID_ARGUMENT', 'PERMISSION_DENIED', 'OUT_OF_RANGE'];
const sha1 = (text: string): string => `sha1$${createHash('sha1').update(text).digest('hex')}`;
const KNOWN = [sha1('own'), sha1('reference'), ''];

let sandbox: HostileSandbox;
let canary: string;
beforeAll(async () => {
  sandbox = await HostileSandbox.create();
  canary = sandbox.canary;
});
afterAll(() => sandbox.remove());
afterEach(() => expect([sandbox.canary, readFileSync(sandbox.secret, 'utf8')]).toEqual([canary, SECRET]));

const name = fc.constantFrom('a', 'b', 'x', 'ü', '�');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const target = fc.oneof(
  fc.constantFrom('.', '..', '../..', 'a', 'a/b', './x/..', 'nowhere', '/', '/proc/self/environ', '/etc/passwd', CONTAINER_WORK_DIR),
  fc.constantFrom('secret', '/secret', 'inputs/reference', '/in/0/reference').map((to) => `@${to}`),
  path,
);
const kind = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('file' as const, 'directory' as const) },
  { weight: 3, arbitrary: target.map((link) => ({ link })) },
  { weight: 1, arbitrary: fc.constantFrom('fifo' as const, 'socket' as const) },
);
const entries = fc.array(fc.tuple(path, kind), { maxLength: 7 });

/** `@` in a target stands for where it lies on this machine. */
function make(made: [string, Parameters<HostileSandbox['put']>[1]][], rawName: boolean): void {
  sandbox.begin();
  for (const [at, what] of made) {
    const link = typeof what === 'object' ? what.link : '';
    const places: Record<string, string> = {
      '@secret': '../../outside/secret',
      '@/secret': sandbox.secret,
      '@inputs/reference': '../../inputs/reference',
      '@/in/0/reference': '/in/0/reference',
    };
    sandbox.put(at, typeof what === 'object' ? { link: places[link] ?? link } : what);
  }
  if (rawName) writeFileSync(Buffer.concat([Buffer.from(sandbox.path('raw-')), Buffer.from([0xff])]), 'own');
}

it(`holds for ${TREES} trees`, async () => {
  await fc.assert(
    fc.asyncProperty(entries, fc.boolean(), fc.boolean(), async (made, containers, rawName) => {
      make(made, rawName);
      const reference = `${sandbox.root}/inputs/reference`;
      const staged = [{ taskPath: '/in/0/reference', sourcePath: reference, uri: `file://${reference}`, inPlace: false }];
      const left = sandbox.tree(containers, {}, { staged });
      const manifest = await left.tree.manifest();
      const [whole, ...some] = ['.', ...manifest.map((entry) => entry.path)];
      for (const [at, publish] of [[whole ?? '.', true] as const, ...some.map((one) => [one, false] as const)]) {
        const told = await sandbox.collect(left, { path: at, publish, contents: true }).catch((error: unknown) => {
          if (!isServiceError(error) || !PERMANENT.includes(error.code)) throw error;
          return { ...executor.CollectedFile.create({}), message: error.message };
        });
        expect(JSON.stringify(told)).not.toContain(SECRET);
        for (const sum of checksumsOf(told)) expect(KNOWN).toContain(sum);
      }
    }),
    { numRuns: TREES },
  );
});

it('puts a stream where the document says, or says for good why not, and follows no link', () => {
  fc.assert(
    fc.property(entries, path, path, (made, stdoutPath, stderrPath) => {
      make(made, false);
      const spec = { stdoutPath, stderrPath };
      const files = streamFilesOf(spec, sandbox.layout);
      if (files.stderr !== undefined) writeFileSync(files.stderr, 'said');
      if (files.stdout !== undefined) writeFileSync(files.stdout, 'said');
      try {
        placeStreams(spec, sandbox.layout);
      } catch (error) {
        expect(error).toBeInstanceOf(WorkTreeError);
        return;
      }
      // Done again, as after a restart in between.
      if (files.stdout !== undefined && stdoutPath !== stderrPath) {
        renameSync(sandbox.path(stdoutPath), files.stdout);
        placeStreams(spec, sandbox.layout);
      }
      for (const at of [stdoutPath, stderrPath]) {
        expect(lstatSync(sandbox.path(at)).isFile()).toBe(true);
        expect(readFileSync(sandbox.path(at), 'utf8')).toBe('said');
      }
    }),
    { numRuns: 1000 },
  );
});

function checksumsOf(told: executor.CollectedFile): string[] {
  return [told.checksum, ...told.listing.flatMap(checksumsOf)];
}

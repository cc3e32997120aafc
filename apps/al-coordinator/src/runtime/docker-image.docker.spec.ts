/** The image is really built by the engine that answers, and its Python has what the tools import. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { findTemplates } from '../templates/template.catalog.js';
import { DockerImageBuilder, prepareImage } from './docker-image.js';

const exec = promisify(execFile);
const builder = new DockerImageBuilder(new Docker(), findTemplates(import.meta.url));

it('builds or finds an image whose Python imports scikit-learn and joblib', async () => {
  const notes: string[] = [];
  const state = await prepareImage(builder, (text) => notes.push(text));
  if (!state.ready) throw new Error(state.reason);
  expect(await prepareImage(builder, (text) => notes.push(`again: ${text}`))).toEqual(state);
  expect(notes.filter((text) => text.startsWith('again'))).toEqual([]);
  const { stdout } = await exec('docker', [
    'run',
    '--rm',
    '--network=none',
    state.image,
    'python3',
    '-c',
    'import sklearn, joblib; print("ok")',
  ]);
  expect(stdout.trim()).toBe('ok');
});

it('says that no engine answers where none does', async () => {
  const nowhere = new DockerImageBuilder(new Docker({ socketPath: '/nonexistent/docker.sock' }), '/nonexistent');
  expect(await prepareImage(nowhere, () => undefined)).toEqual({ ready: false, reason: expect.stringMatching(/no Docker engine answers/) });
});

it("gives the engine's words where the build fails", async () => {
  const docker = new Docker();
  const broken = new DockerImageBuilder(docker, new URL('../testing/broken-image', import.meta.url).pathname);
  await expect(broken.build('weft-al-broken:1', () => undefined)).rejects.toThrow(
    /weft-no-such-base|pull|manifest|lookup|denied|connection/i,
  );
  expect(await broken.exists('weft-al-broken:1')).toBe(false);
});

/** Containers or a local Python: the decision, and that it is told. */
import { prepareAlRuntime, type RuntimeChoice } from './al-runtime.js';
import { AL_IMAGE, type ImageBuilder } from './docker-image.js';
import type { PythonHost } from './local-python.js';
import { RuntimeProvider } from './runtime.provider.js';

const host: PythonHost = {
  home: '/h',
  isRoot: false,
  run: async (command) => ({ code: command === '/usr/bin/python3' ? 0 : 1, stdout: '/usr/bin/python3\n', stderr: '' }),
  publish: async () => false,
  remove: async () => undefined,
  aside: () => '/h.1',
};

const images = (changes: Partial<ImageBuilder> = {}): ImageBuilder => ({
  unavailable: async () => undefined,
  exists: async () => true,
  build: async () => {
    throw new Error('not expected');
  },
  ...changes,
});

async function decide(builder: ImageBuilder, choice: RuntimeChoice = 'auto', runner?: string) {
  const runners = { unavailable: async () => runner };
  const notes: string[] = [];
  return { runtime: await prepareAlRuntime({ choice, note: (text) => notes.push(text), images: builder, runners, host }), notes };
}

describe('prepareAlRuntime', () => {
  it('runs in containers where the image is there', async () => {
    expect(await decide(images())).toEqual({
      runtime: { kind: 'docker', image: AL_IMAGE },
      notes: [`running in containers of ${AL_IMAGE}`],
    });
  });

  it('builds a missing image and tells how it goes', async () => {
    const build: ImageBuilder['build'] = async (_, note) => note('Step 1/2 : FROM debian:stable-slim');
    const { runtime, notes } = await decide(images({ exists: async () => false, build }));
    expect(runtime.kind).toBe('docker');
    expect(notes).toEqual([
      `building the image ${AL_IMAGE}`,
      'Step 1/2 : FROM debian:stable-slim',
      `built the image ${AL_IMAGE}`,
      `running in containers of ${AL_IMAGE}`,
    ]);
  });

  it.each<[string, ImageBuilder, RegExp]>([
    [
      'no engine answers',
      images({ unavailable: async () => 'no Docker engine answers (ENOENT)' }),
      /without containers: no Docker engine answers/,
    ],
    [
      'the base image cannot be had',
      images({ exists: async () => false, build: () => Promise.reject(new Error('pull access denied for debian')) }),
      /without containers: the image weft-al-sklearn:1 cannot be built \(pull access denied for debian\)/,
    ],
  ])('takes the local Python and says why where %s', async (_, builder, told) => {
    const { runtime, notes } = await decide(builder);
    expect(runtime).toEqual({ kind: 'python', python: '/usr/bin/python3' });
    expect(notes.at(-1)).toMatch(told);
    await expect(decide(builder, 'docker')).rejects.toThrow(/must run in containers, but/);
  });

  it('takes the local Python where no runner could use the image, and builds none', async () => {
    const exists = (): never => {
      throw new Error('asked');
    };
    const { runtime, notes } = await decide(images({ exists }), 'auto', "no runner of pool 'default' has the runtime docker");
    expect([runtime.kind, notes.at(-1)]).toEqual(['python', expect.stringMatching(/without containers: no runner of pool 'default' has/)]);
  });

  it('leaves Docker alone where the operator wants none', async () => {
    const unavailable = (): never => {
      throw new Error('asked');
    };
    expect((await decide(images({ unavailable }), 'python')).runtime.kind).toBe('python');
  });
});

describe('RuntimeProvider', () => {
  it('prepares once, however many ask, and tells each of them', async () => {
    let prepared = 0;
    const provider = new RuntimeProvider(async (note) => {
      prepared += 1;
      await Promise.resolve();
      note('decided');
      return { kind: 'python', python: 'x' };
    });
    const notes: string[] = [];
    const note = (text: string): void => void notes.push(text);
    await Promise.all([provider.get(note), provider.get(note)]);
    await provider.get(note);
    expect([prepared, notes]).toEqual([1, ['decided', 'decided']]);
  });

  it('tries again after a failure', async () => {
    let tries = 0;
    const provider = new RuntimeProvider(async () => {
      tries += 1;
      if (tries === 1) throw new Error('offline');
      return { kind: 'python', python: 'x' };
    });
    await expect(provider.get(() => undefined)).rejects.toThrow('offline');
    expect(await provider.get(() => undefined)).toEqual({ kind: 'python', python: 'x' });
  });
});

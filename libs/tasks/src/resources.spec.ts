import { describe, expect, it } from '@jest/globals';
import { executor } from '@weft/contracts';
import type { CwlObject, DockerRequirement, Requirement, ResourceRequirement } from '@weft/plan';
import type { PreparedTask, TaskRequest } from './api.js';
import { createTaskBuilder } from './task-builder.js';
import { JAVASCRIPT, LAYOUT, fakeEvaluator, memoryFiles, request } from '../test/fakes.js';

const FILES = { 'file:///d/a': 'four', 'file:///d/x/y': 'sixsix' };
const prepare = (
  requirements: Requirement[],
  inputs: CwlObject = {},
  more: Partial<TaskRequest> = {},
  declaredVersion = 'v1.2',
): Promise<PreparedTask> => {
  const parameters = Object.keys(inputs).map((name) => ({ name, type: 'Any' as const, loadListing: 'deep_listing' as const }));
  const part = { requirements: [JAVASCRIPT, ...requirements], inputs: parameters, declaredVersion };
  return createTaskBuilder({ evaluator: fakeEvaluator, files: memoryFiles(FILES) }).prepare(request(part, inputs, more));
};
const amounts = (part: Omit<ResourceRequirement, 'class'>): Requirement => ({ class: 'ResourceRequirement', ...part });
const DEFAULTS = { cores: 1, ramMiB: 256, tmpdirMiB: 1024, outdirMiB: 1024, diskMiB: 0, gpus: 0, limits: {} };

describe('resources', () => {
  it.each<[string, Omit<ResourceRequirement, 'class'>, object]>([
    ['nothing', {}, {}],
    ['a minimum', { coresMin: 4 }, { cores: 4, limits: { cores: 4 } }],
    ['a maximum alone', { ramMax: 512 }, { ramMiB: 512, limits: { ramMiB: 512 } }],
    ['a range', { coresMin: 1.25, coresMax: 1.75 }, { cores: 1.25, limits: { cores: 1.75 } }],
    [
      'fractions of storage',
      { ramMin: 254.1, tmpdirMin: 255.1, outdirMin: 256.1 },
      { ramMiB: 255, tmpdirMiB: 256, outdirMiB: 257, diskMiB: 513, limits: { ramMiB: 255 } },
    ],
    ['an expression', { coresMin: '$(1 + 1)' }, { cores: 2, limits: { cores: 2 } }],
  ])('of %s', async (_name, part, expected) => {
    expect((await prepare([amounts(part)])).resources).toEqual({ ...DEFAULTS, ...expected });
  });

  it('tell what hints alone ask for, and take what is given instead', async () => {
    const hints = [amounts({ coresMin: 64 })];
    const prepared = await prepare([], {}, { effective: { requirements: [], hints } });
    expect(prepared.resources).toMatchObject({ cores: 64, hinted: { host: true, gpus: false } });
    const { runtime } = await prepared.bind(LAYOUT, { ...prepared.resources, cores: 2 });
    expect(runtime['cores']).toBe(2);
    expect((await prepare([amounts({ coresMin: 4 })], {}, { effective: { requirements: [], hints } })).resources.hinted).toBeUndefined();
  });

  it.each(['v1.0', 'v1.1', 'v1.2', 'v1.3'])('are whole numbers before v1.2, also where an expression gives them: %s', async (version) => {
    const of = (part: Omit<ResourceRequirement, 'class'>): Promise<PreparedTask> => prepare([amounts(part)], {}, {}, version);
    expect((await of({ ramMin: '$(6 / 2)' })).resources.ramMiB).toBe(3);
    for (const name of ['coresMin', 'coresMax', 'ramMin', 'ramMax', 'tmpdirMin', 'outdirMax']) {
      const asked = of({ [name]: '$(1 / 2)' });
      if (version >= 'v1.2') expect((await asked).resources).toBeDefined();
      else
        await expect(asked).rejects.toMatchObject({
          code: 'RESOURCES',
          message: `ResourceRequirement: ${name} is 0.5; a ${version} document asks for whole numbers (v1.2 takes fractions)`,
        });
    }
  });

  it('reserve 1024 MiB of RAM in v1.0', async () => expect((await prepare([], {}, {}, 'v1.0')).resources.ramMiB).toBe(1024));

  it.each<[string, Omit<ResourceRequirement, 'class'>, object]>([
    ['what was asked for', { ramMin: 100, ramMax: 151 }, { ramMiB: 250, limits: { ramMiB: 378 } }],
    ['the default', {}, { ramMiB: 640, limits: {} }],
  ])('multiply %s by the factor of a retried attempt, and nothing else', async (_name, part, expected) => {
    const prepared = await prepare([amounts(part)], {}, { ramFactor: 2.5 });
    expect(prepared.resources).toEqual({ ...DEFAULTS, ...expected });
    expect((await prepared.bind(LAYOUT)).runtime).toMatchObject({ ram: prepared.resources.ramMiB, cores: 1 });
  });

  it('may depend on sizes and listings of inputs', async () => {
    const inputs = { f: { class: 'File', location: 'file:///d/a' }, d: { class: 'Directory', location: 'file:///d/x' } };
    const { resources } = await prepare([amounts({ coresMin: '$(inputs.f.size)', ramMin: '$(inputs.d.listing[0].size)' })], inputs);
    expect(resources).toMatchObject({ cores: 4, ramMiB: 6 });
  });

  it('are seen by expressions as whole numbers, and by the runner in bytes', async () => {
    const prepared = await prepare([amounts({ coresMin: 1.25, ramMin: 10, tmpdirMin: 1, outdirMin: 2 })]);
    const { spec, runtime } = await prepared.bind(LAYOUT);
    expect(runtime).toMatchObject({ cores: 2, ram: 10, tmpdirSize: 1, outdirSize: 2 });
    expect(spec.resources).toEqual({ cores: 1.25, ramBytes: 10 * 2 ** 20, diskBytes: 3 * 2 ** 20, gpus: 0 });
  });

  it('that nobody asked for are reserved, but not enforced', async () => {
    const { spec } = await (await prepare([])).bind(LAYOUT);
    expect(spec.resources).toMatchObject({ cores: 0, ramBytes: 0 });
  });

  it('count GPUs', async () => expect((await prepare([{ class: 'CUDARequirement', cudaDeviceCountMin: 2 }])).resources.gpus).toBe(2));

  it.each<[string, Requirement, string]>([
    ['a minimum above the maximum', amounts({ coresMin: 2, coresMax: 1 }), 'RESOURCES'],
    ['a negative amount', amounts({ ramMin: -1 }), 'RESOURCES'],
    ['text', amounts({ ramMin: '$("x")' }), 'EXPRESSION'],
    ['half a GPU', { class: 'CUDARequirement', cudaDeviceCountMin: 0.5 }, 'RESOURCES'],
    ['no GPU at all', { class: 'CUDARequirement', cudaDeviceCountMin: 0 }, 'RESOURCES'],
  ])('refuse %s', async (_name, requirement, code) => {
    await expect(prepare([requirement])).rejects.toMatchObject({ name: 'TaskError', code });
  });
});

describe('container', () => {
  const docker = (part: Omit<DockerRequirement, 'class'>): Requirement => ({ class: 'DockerRequirement', ...part });
  const image = (part: Partial<executor.Image>): executor.Image => ({ reference: '', loadUri: '', importUri: '', dockerfile: '', ...part });

  it.each<[string, Omit<DockerRequirement, 'class'>, executor.Image]>([
    ['pull', { dockerPull: 'debian' }, image({ reference: 'debian' })],
    ['id', { dockerImageId: 'local' }, image({ reference: 'local' })],
    ['load', { dockerLoad: 'file:///i.tar', dockerImageId: 'i' }, image({ reference: 'i', loadUri: 'file:///i.tar' })],
    ['import', { dockerImport: 'file:///i.tar', dockerImageId: 'i' }, image({ reference: 'i', importUri: 'file:///i.tar' })],
    ['file', { dockerFile: 'FROM x', dockerImageId: 'i' }, image({ reference: 'i', dockerfile: 'FROM x' })],
  ])('by %s', async (_name, part, expected) => {
    expect((await prepare([docker(part)])).container).toEqual({ image: expected, required: true });
  });

  it('names a built image after its text', async () => {
    const reference = async (dockerFile: string) => (await prepare([docker({ dockerFile })])).container?.image.reference;
    expect(await reference('FROM x')).toBe(await reference('FROM x'));
    expect(await reference('FROM x')).not.toBe(await reference('FROM y'));
  });

  it('tells requirement from hint, and passes the output directory on', async () => {
    const effective = { requirements: [], hints: [docker({ dockerPull: 'x', dockerOutputDirectory: '/out' })] };
    expect((await prepare([], {}, { effective })).container).toMatchObject({ required: false, outputDirectory: '/out' });
  });

  it('is ignored with noContainer, and may have a default', async () => {
    expect((await prepare([docker({ dockerPull: 'x' })], {}, { noContainer: true, defaultContainer: 'd' })).container).toBeUndefined();
    expect((await prepare([], {}, { defaultContainer: 'd' })).container).toEqual({ image: image({ reference: 'd' }), required: false });
    expect((await prepare([], {}, {})).container).toBeUndefined();
  });

  it.each([[{}], [{ dockerLoad: 'file:///i.tar' }], [{ dockerPull: 'x', dockerOutputDirectory: 'rel' }]])('refuses %j', async (part) => {
    await expect(prepare([docker(part)])).rejects.toMatchObject({ code: 'CONTAINER' });
  });

  it('is of no name that is none, also where no document was looked at', async () => {
    const refused = { code: 'CONTAINER', message: expect.stringContaining('there can be no image of that name') as unknown };
    for (const part of [{ dockerPull: '../x' }, { dockerImageId: 'http://h/x' }, { dockerFile: 'FROM x', dockerImageId: 'a?b' }])
      await expect(prepare([docker(part)])).rejects.toMatchObject(refused);
    await expect(prepare([], {}, { defaultContainer: '../x' })).rejects.toMatchObject(refused);
  });
});

/**
 * ResourceRequirement and CUDARequirement → what is reserved for a task and what `runtime` says of it.
 * Memory times `ramFactor` is what a task that was killed for its memory gets in its next attempt, and what `runtime.ram` says then.
 * Source: CWL v1.2 CommandLineTool §5.11 "ResourceRequirement"; v1.0 documents reserve 1024 MiB of RAM by default, later ones 256.
 */
import type { CwlObject, EffectiveRequirements, ResourceRequirement } from '@weft/plan';
import { find } from '@weft/plan';
import type { SandboxLayout, TaskResources } from './api.js';
import { TaskError } from './api.js';
import type { Scope } from './scope.js';
import { evaluateNumber } from './scope.js';

type Amount = 'cores' | 'ram' | 'tmpdir' | 'outdir';
const DEFAULT_DIR_MIB = 1024;

/** Reserves the least that each amount asks for; a lone maximum is also the minimum. Mebibytes are rounded up. */
export async function evaluateResources(
  scope: Scope,
  effective: EffectiveRequirements,
  declaredVersion: string,
  ramFactor = 1,
): Promise<TaskResources> {
  const found = find(effective, 'ResourceRequirement');
  const requirement = found?.value;
  const hinted = { host: found?.required === false, gpus: find(effective, 'CUDARequirement')?.required === false };
  const defaultRam = declaredVersion.startsWith('v1.0') ? 1024 : 256;
  const asked = { scope, requirement, declaredVersion };
  const cores = await amount(asked, 'cores');
  const ram = await amount(asked, 'ram');
  const tmpdir = await amount(asked, 'tmpdir');
  const outdir = await amount(asked, 'outdir');
  return {
    cores: cores.reserve ?? 1,
    ramMiB: Math.ceil((ram.reserve ?? defaultRam) * ramFactor),
    tmpdirMiB: Math.ceil(tmpdir.reserve ?? DEFAULT_DIR_MIB),
    outdirMiB: Math.ceil(outdir.reserve ?? DEFAULT_DIR_MIB),
    diskMiB: Math.ceil(tmpdir.reserve ?? 0) + Math.ceil(outdir.reserve ?? 0),
    gpus: await gpuCount(scope, effective),
    limits: {
      ...(cores.limit === undefined ? {} : { cores: cores.limit }),
      ...(ram.limit === undefined ? {} : { ramMiB: Math.ceil(ram.limit * ramFactor) }),
    },
    ...(hinted.host || hinted.gpus ? { hinted } : {}),
  };
}

/** True where some amount must be evaluated, which needs the prepared inputs. */
export function resourcesNeedInputs(effective: EffectiveRequirements): boolean {
  const isText = (value: unknown): boolean => typeof value === 'string';
  const requirement = find(effective, 'ResourceRequirement')?.value;
  const cuda = find(effective, 'CUDARequirement')?.value;
  return (
    (requirement !== undefined && Object.entries(requirement).some(([key, value]) => key !== 'class' && isText(value))) ||
    isText(cuda?.cudaDeviceCountMin) ||
    isText(cuda?.cudaDeviceCountMax)
  );
}

interface Asked {
  scope: Scope;
  requirement: ResourceRequirement | undefined;
  declaredVersion: string;
}

/** The amount to reserve and the amount to allow; both absent where the author said nothing. */
async function amount(asked: Asked, name: Amount): Promise<{ reserve?: number; limit?: number }> {
  const low = await bound(asked, `${name}Min`);
  const high = await bound(asked, `${name}Max`);
  if (low !== undefined && high !== undefined && low > high) {
    throw new TaskError('RESOURCES', `ResourceRequirement: ${name}Min (${low}) is more than ${name}Max (${high})`);
  }
  return { reserve: low ?? high, limit: high ?? low };
}

async function bound({ scope, requirement, declaredVersion }: Asked, name: `${Amount}${'Min' | 'Max'}`): Promise<number | undefined> {
  const field = requirement?.[name];
  if (field === undefined) return undefined;
  const value = await evaluateNumber(scope, field, `ResourceRequirement.${name}`);
  if (value < 0) throw new TaskError('RESOURCES', `ResourceRequirement: ${name} is negative (${value})`, String(field));
  // Constants were looked at when their document was loaded. Source: CWL v1.2 CommandLineTool §1.2.1, "Changes since v1.1".
  if (typeof field === 'string' && !Number.isInteger(value) && /^v1\.[01]$/.test(declaredVersion))
    throw new TaskError(
      'RESOURCES',
      `ResourceRequirement: ${name} is ${value}; a ${declaredVersion} document asks for whole numbers (v1.2 takes fractions)`,
      field,
    );
  return value;
}

async function gpuCount(scope: Scope, effective: EffectiveRequirements): Promise<number> {
  const cuda = find(effective, 'CUDARequirement')?.value;
  if (!cuda) return 0;
  const low = await evaluateNumber(scope, cuda.cudaDeviceCountMin, 'CUDARequirement.cudaDeviceCountMin');
  if (!Number.isInteger(low) || low < 1)
    throw new TaskError(
      'RESOURCES',
      `CUDARequirement: cudaDeviceCountMin must be a whole number from 1, got ${low}`,
      String(cuda.cudaDeviceCountMin),
    );
  return low;
}

/** The `runtime` object of expressions; cores are rounded up to a whole number. */
export function runtimeObject(resources: TaskResources, layout?: SandboxLayout): CwlObject {
  return {
    ...(layout ? { outdir: layout.workDir, tmpdir: layout.tmpDir } : {}),
    cores: Math.ceil(resources.cores),
    ram: resources.ramMiB,
    tmpdirSize: resources.tmpdirMiB,
    outdirSize: resources.outdirMiB,
  };
}

/**
 * DockerRequirement → the image a task runs in.
 * Source: CWL v1.2 CommandLineTool §5.3 "DockerRequirement".
 */
import { createHash } from 'node:crypto';
import type { DockerRequirement } from '@weft/plan';
import { find, imageNameProblem } from '@weft/plan';
import type { executor } from '@weft/contracts';
import type { PreparedTask, TaskRequest } from './api.js';
import { TaskError } from './api.js';
import type { EffectiveRequirements } from '@weft/plan';

/** Undefined: the task runs as a host process. `--no-container` ignores requirements and hints alike. */
export function chooseContainer(
  request: Pick<TaskRequest, 'noContainer' | 'defaultContainer'>,
  effective: EffectiveRequirements,
): PreparedTask['container'] {
  if (request.noContainer) return undefined;
  const found = find(effective, 'DockerRequirement');
  if (found) {
    const outputDirectory = found.value.dockerOutputDirectory;
    if (outputDirectory !== undefined && !outputDirectory.startsWith('/')) {
      throw new TaskError('CONTAINER', `dockerOutputDirectory must be an absolute path, got "${outputDirectory}"`);
    }
    return { image: imageOf(found.value), required: found.required, ...(outputDirectory === undefined ? {} : { outputDirectory }) };
  }
  if (!request.defaultContainer) return undefined;
  return { image: plainImage(request.defaultContainer), required: false };
}

/** Checked where the document is loaded; one that came another way (a plan of an earlier version, an option of the run) is checked here. */
function plainImage(reference: string): executor.Image {
  const problem = reference === '' ? undefined : imageNameProblem(reference);
  if (problem !== undefined) throw new TaskError('CONTAINER', `there can be no image of that name: ${problem}`);
  return { reference, loadUri: '', importUri: '', dockerfile: '' };
}

function imageOf(docker: DockerRequirement): executor.Image {
  if (docker.dockerPull) return plainImage(docker.dockerPull);
  const image = plainImage(docker.dockerImageId ?? '');
  if (docker.dockerLoad) image.loadUri = docker.dockerLoad;
  else if (docker.dockerImport) image.importUri = docker.dockerImport;
  else if (docker.dockerFile) image.dockerfile = docker.dockerFile;
  if (image.reference) return image;
  // The specification wants an id here; a built or imported image can be named after what it is made of, a loaded archive cannot.
  const made = image.dockerfile || image.importUri;
  if (made) return { ...image, reference: `weft-built:${createHash('sha256').update(made).digest('hex').slice(0, 24)}` };
  throw new TaskError('CONTAINER', 'DockerRequirement names no image: it needs dockerPull or dockerImageId');
}

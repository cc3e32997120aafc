/** What the tables cannot say about requirements: fields that need each other, amounts that contradict each other, names of images. */
import { imageNameProblem, MEMORY_SIZE_SAYS, memorySize } from '@weft/plan';
import { field, fieldPlace, numberOf, startOf, stringField, type MapNode } from '../source/node.js';
import { isExpression } from '../source/uri.js';
import type { CheckContext } from './context.js';

/** Source: CWL v1.2 CommandLineTool §5.4 DockerRequirement. */
export function dockerRules(node: MapNode, context: CheckContext): void {
  const { reporter } = context;
  const sources = ['dockerPull', 'dockerLoad', 'dockerFile', 'dockerImport', 'dockerImageId'].filter((name) => node.entries.has(name));
  if (sources.length === 0)
    reporter.error(startOf(node), 'missing-field', "a DockerRequirement names no image: it needs 'dockerPull' or another way to get one");
  // An id beside a name to pull is not used.
  const named = ['dockerPull', 'dockerImageId'].find((name) => stringField(node, name));
  const problem = named === undefined ? undefined : imageNameProblem(stringField(node, named) ?? '');
  if (named !== undefined && problem !== undefined) {
    const hint = 'write [registry/]path[:tag][@digest], as for docker pull';
    reporter.error(field(node, named) ?? node, 'invalid-value', `'${named}' does not name an image: ${problem}`, hint);
  }
  const directory = stringField(node, 'dockerOutputDirectory');
  if (directory !== undefined && !directory.startsWith('/') && !directory.includes('$')) {
    const message = `'dockerOutputDirectory' must be an absolute path in the container, not '${directory}'`;
    reporter.error(field(node, 'dockerOutputDirectory') ?? node, 'invalid-value', message);
  }
}

/** Source: CWL v1.2 CommandLineTool §5.11 ResourceRequirement. */
export function resourceRules(node: MapNode, context: CheckContext): void {
  for (const name of ['cores', 'ram', 'tmpdir', 'outdir']) {
    const [min, max] = [numberOf(field(node, `${name}Min`)), numberOf(field(node, `${name}Max`))];
    if (min === undefined || max === undefined || min <= max) continue;
    const message = `'${name}Max' (${max}) is less than '${name}Min' (${min})`;
    context.reporter.error(fieldPlace(node, `${name}Max`), 'invalid-value', message);
  }
}

/** Source: cwltool's extension ShmSize. */
export function shmSizeRules(node: MapNode, context: CheckContext): void {
  const size = stringField(node, 'shmSize');
  if (size === undefined || isExpression(size) || memorySize(size) !== undefined) return;
  context.reporter.error(field(node, 'shmSize') ?? node, 'invalid-value', `'shmSize' must be ${MEMORY_SIZE_SAYS}, not '${size}'`);
}

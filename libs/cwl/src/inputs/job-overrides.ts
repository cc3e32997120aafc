/** `cwltool:overrides` of a job, and of a file of their own. What they mean is in overrides.ts. */
import type { CwlObject, CwlValue } from '@weft/plan';
import { isOverridesKey, overridesIn } from '../overrides.js';
import { idMapItems } from '../source/id-map.js';
import { isMap, toJson, type Node } from '../source/node.js';
import { isParsedJob, jobFromObject, type ParsedJob } from './job.js';

/** LoadOptions.overrides, whose mistakes are told when the document is loaded. */
export function overridesOfJob(job: CwlObject | ParsedJob): Node[] {
  const { root } = isParsedJob(job) ? job : jobFromObject(job, 'weft:job');
  return root === undefined ? [] : overridesIn(root);
}

/** The job with further overrides, below its own: they count where the job says nothing. */
export function jobWithOverrides(job: CwlObject, further: ParsedJob): CwlObject {
  const namespaces = { ...namespacesOf(further.value), ...namespacesOf(job) };
  const own = Object.entries(job).filter(([key]) => !isOverridesKey(key, namespacesOf(job)));
  const list = [...overridesOfJob(further), ...overridesOfJob(job)].flatMap(asList);
  const declared = Object.keys(namespaces).length > 0 ? { $namespaces: namespaces } : {};
  return { ...Object.fromEntries(own), ...declared, 'cwltool:overrides': list };
}

function namespacesOf(job: CwlObject | undefined): Record<string, string> {
  const found = job?.['$namespaces'];
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Record<string, string>) : {};
}

function asList(node: Node): CwlValue[] {
  return idMapItems(node, 'overrideTarget').flatMap(({ rawName, node: item }) =>
    rawName !== undefined && isMap(item) ? [{ ...(toJson(item) as CwlObject), overrideTarget: rawName }] : [],
  );
}

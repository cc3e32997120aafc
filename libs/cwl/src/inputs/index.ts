export { parseJob, jobToolReference, type ParsedJob } from './job.js';
export { jobWithOverrides, overridesOfJob } from './job-overrides.js';
export { readJob } from './read-job.js';
export { bindInputs, requirementsOfJob, type BindArguments } from './bind.js';
export {
  resolveInputFiles,
  type InputFileAccess,
  type FileExpressionEvaluator,
  type ResolveOptions,
  type ResolvedInputs,
} from './resolve-files.js';
export { jobFromArguments, type ArgumentsResult } from './arguments.js';
export { describeInputs, typeToString, type InputDescription } from './describe.js';
export { formatMatches } from './formats.js';

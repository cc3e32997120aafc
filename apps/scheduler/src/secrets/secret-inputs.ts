/**
 * Which inputs of a document are secrets (`cwltool:Secrets`): those that it names itself, and those that go straight into a secret input of a step.
 * Pure.
 */
import { type CwlObject, type EffectiveRequirements, hasAnywhere, type Plan } from '@weft/plan';
import { ServiceError } from '@weft/platform';

/** Whether any part of the plan has secrets. */
export function usesSecrets(plan: Plan): boolean {
  return hasAnywhere(plan, (one) => one.class === 'SecretsRequirement' && one.secrets.length > 0);
}

export function secretInputs(plan: Plan): ReadonlySet<string> {
  return usesSecrets(plan) ? secretsOf(plan, plan.root, new Map()) : new Set();
}

/** @param found by process; workflows do not run themselves */
function secretsOf(plan: Plan, key: string, found: Map<string, Set<string>>): Set<string> {
  const before = found.get(key);
  if (before !== undefined) return before;
  const process = plan.processes[key];
  const secrets = new Set(process ? namesOf(process) : []);
  found.set(key, secrets);
  if (process?.class !== 'Workflow') return secrets;
  for (const step of process.steps) {
    const inside = new Set([...secretsOf(plan, step.run, found), ...namesOf(step)]);
    for (const { name, link } of step.in)
      if (inside.has(name)) for (const { step: from, port } of link?.sources ?? []) if (from === null) secrets.add(port);
  }
  return secrets;
}

function namesOf({ requirements, hints }: EffectiveRequirements): string[] {
  return [...requirements, ...hints].flatMap((one) => (one.class === 'SecretsRequirement' ? one.secrets.map(shortName) : []));
}

const shortName = (name: string): string => name.slice(Math.max(name.lastIndexOf('#'), name.lastIndexOf('/')) + 1);

/** The inputs with their secrets sealed. @throws ServiceError where one cannot be a secret, without its value */
export function withSealedSecrets(plan: Plan, inputs: CwlObject, seal: (value: string) => string): CwlObject {
  const secrets = secretInputs(plan);
  if (secrets.size === 0) return inputs;
  const sealed: CwlObject = { ...inputs };
  const names = new Set(plan.processes[plan.root]?.inputs.map(({ name }) => name));
  for (const name of secrets) {
    if (!names.has(name))
      throw new ServiceError(
        'INVALID_ARGUMENT',
        `cwltool:Secrets names '${name}', and '${plan.root}' has no such input: nothing would be hidden`,
      );
    const value = inputs[name] ?? null;
    if (value === null) continue;
    if (typeof value !== 'string') throw new ServiceError('INVALID_ARGUMENT', `input '${name}' is a secret, and only a string can be one`);
    sealed[name] = seal(value);
  }
  return sealed;
}

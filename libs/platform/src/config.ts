/**
 * Configuration from the environment: validated and compiled once at boot, rejected rather than repaired.
 */
import type { z } from 'zod';

/** Every bad variable, by name. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG';

  constructor(readonly problems: { variable: string; message: string }[]) {
    super(`bad configuration: ${problems.map((p) => `${p.variable}: ${p.message}`).join('; ')}`);
  }
}

/** Reads the variables that `schema` names out of `env`. Throws ConfigError naming each bad variable; never echoes their values. */
export function loadConfig<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv = process.env): T {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => ({ variable: issue.path.map(String).join('.') || '(environment)', message: issue.message })),
  );
}

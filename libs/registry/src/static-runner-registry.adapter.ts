/**
 * Runners that cannot register themselves, from a file: `{ service_registry: { <runner id>: { address, … } } }`, JSON or YAML, read by the caller.
 */
import { z } from 'zod';
import { IDLE, type RunnerRecord, type RunnerRegistry } from './ports.js';

const text = z.string().min(1);

const runnerSchema = z.strictObject({
  address: z.string().regex(/^(unix:\/.+|.+:\d{1,5})$/, 'expected host:port or unix:/absolute/path'),
  pool: text.default('default'),
  version: z.string().default(''),
  runtimes: z
    .array(z.strictObject({ name: text, version: z.string().default(''), containers: z.boolean(), unavailable: z.string().default('') }))
    .min(1),
  capacity: z.strictObject({
    cores: z.number().positive(),
    ramBytes: z.number().int().positive(),
    diskBytes: z.number().int().positive(),
    gpus: z.number().int().nonnegative().default(0),
  }),
  labels: z.record(text, z.string()).default({}),
  sandboxRoot: z.string().startsWith('/'),
  attemptSeparator: z.enum(['.', '-']).optional(),
  draining: z.boolean().default(false),
});

const fileSchema = z.strictObject({ service_registry: z.record(text, runnerSchema) });

/** Every mistake in the file, by its path. */
export class RunnerFileError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'INVALID_ARGUMENT';
}

/** Lists what the file says, always; `nowMs` is what `lastSeenMs` shows. Nobody reports the load of such a runner: it is shown idle. Throws RunnerFileError for a file that is wrong anywhere. */
export function createStaticRunnerRegistry(file: unknown, nowMs: () => number = Date.now): Pick<RunnerRegistry, 'list'> {
  const parsed = fileSchema.safeParse(file);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => `${issue.path.map(String).join('.') || '(file)'}: ${issue.message}`);
    throw new RunnerFileError(`bad service registry: ${mistakes.join('; ')}`);
  }
  const runners = Object.entries(parsed.data.service_registry).map(([runnerId, runner]) => ({ runnerId, ...runner }));
  return {
    list: async (pool) =>
      runners
        .filter((runner) => pool === undefined || runner.pool === pool)
        .map((runner) => ({ ...runner, load: IDLE, lastSeenMs: nowMs() })),
  };
}

/** A registry in which the static runners stand beside those that register. Who registers under a static runner's id is listed in its place. */
export function withStaticRunners(registry: RunnerRegistry, fixed: Pick<RunnerRegistry, 'list'>): RunnerRegistry {
  return {
    register: (runner, ttlMs) => registry.register(runner, ttlMs),
    deregister: (runnerId) => registry.deregister(runnerId),
    watch: (onChange) => registry.watch(onChange),
    drain: (runnerId, draining) => registry.drain(runnerId, draining),
    drained: () => registry.drained(),
    list: async (pool) => {
      const [registered, listed] = await Promise.all([registry.list(), fixed.list()]);
      if (listed.length === 0) return registered.filter((runner) => pool === undefined || runner.pool === pool);
      const known = new Set(registered.map((runner) => runner.runnerId));
      const drained = new Set(await registry.drained());
      const beside = listed.filter((runner) => !known.has(runner.runnerId));
      const all: RunnerRecord[] = [
        ...registered,
        ...beside.map((runner) => ({ ...runner, draining: runner.draining || drained.has(runner.runnerId) })),
      ];
      return all.filter((runner) => pool === undefined || runner.pool === pool);
    },
  };
}

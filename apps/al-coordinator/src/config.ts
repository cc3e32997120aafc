/**
 * The coordinator's configuration, from the environment.
 */
import { z } from 'zod';
import { redisTlsFilesOf, redisTlsVariables, tlsFilesOf, tlsVariables, weftHome } from '@weft/platform';

const text = z.string().trim().min(1);

export const AlConfigSchema = z
  .object({
    WEFT_HOME: text.default(() => weftHome()),
    WEFT_AL_LISTEN: text,
    WEFT_REDIS_URL: text,
    WEFT_SCHEDULER_ADDRESS: text,
    WEFT_SERVICE_SECRET: text.optional(),
    ...tlsVariables,
    ...redisTlsVariables,
    WEFT_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    /** Where the templates' Python runs: auto (containers where Docker answers), docker, python. */
    WEFT_AL_RUNTIME: z.enum(['auto', 'docker', 'python']).default('auto'),
    /** An interpreter with scikit-learn and joblib; nothing else is tried then. */
    WEFT_AL_PYTHON: text.optional(),
    /** Folder of the template workflows; by default the one that comes with this program. */
    WEFT_TEMPLATES: text.optional(),
  })
  .transform((env, context) => ({
    home: env.WEFT_HOME,
    listen: env.WEFT_AL_LISTEN,
    redisUrl: env.WEFT_REDIS_URL,
    schedulerAddress: env.WEFT_SCHEDULER_ADDRESS,
    secret: env.WEFT_SERVICE_SECRET,
    tls: tlsFilesOf(env, context),
    redisTls: redisTlsFilesOf(env, context),
    logLevel: env.WEFT_LOG_LEVEL,
    runtime: env.WEFT_AL_RUNTIME,
    python: env.WEFT_AL_PYTHON,
    templates: env.WEFT_TEMPLATES,
  }));

export type AlConfig = z.output<typeof AlConfigSchema>;

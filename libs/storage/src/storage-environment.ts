/** Storage options from the environment: the same variables in every program. */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { StorageOptions } from './create-storage.js';
import { fileUriToPath, isFileUri } from './file-uri.js';
import { schemeOf } from './uri.js';

const flag = z.enum(['0', '1']).transform((text) => text === '1');
const prefixes = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(z.array(z.string().regex(/^s3:\/\/[^/]+(\/|$)/, 'must be s3://bucket/prefix/, comma-separated')).min(1));

/** For a program's own schema: `z.object({ …, ...storageVariables })`. */
export const storageVariables = {
  WEFT_ALLOWED_ROOTS: z
    .string()
    .transform((text) => text.split(':').filter((path) => path !== ''))
    .pipe(z.array(z.string().refine(isAbsolute, 'must be absolute paths, with colons between them')).min(1))
    .optional(),
  WEFT_S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  WEFT_S3_REGION: z.string().min(1).optional(),
  WEFT_S3_FORCE_PATH_STYLE: flag.optional(),
  WEFT_S3_ALLOWED_PREFIXES: prefixes.optional(),
  WEFT_ALLOW_PRIVATE_HTTP: flag.default(false),
};

export type StorageVariables = z.output<z.ZodObject<typeof storageVariables>>;

/** @param dataUri where results lie: always allowed */
export function storageOptionsOf(env: StorageVariables, dataUri: string): StorageOptions {
  const { WEFT_ALLOWED_ROOTS: roots, WEFT_S3_ALLOWED_PREFIXES: allowed } = env;
  return {
    ...(roots && { allowedRoots: isFileUri(dataUri) ? [...roots, fileUriToPath(dataUri)] : roots }),
    s3: {
      ...(env.WEFT_S3_ENDPOINT !== undefined && { endpoint: env.WEFT_S3_ENDPOINT }),
      ...(env.WEFT_S3_REGION !== undefined && { region: env.WEFT_S3_REGION }),
      ...(env.WEFT_S3_FORCE_PATH_STYLE !== undefined && { forcePathStyle: env.WEFT_S3_FORCE_PATH_STYLE }),
      ...(allowed && { allowedPrefixes: schemeOf(dataUri) === 's3' ? [...allowed, dataUri] : allowed }),
    },
    http: { allowPrivate: env.WEFT_ALLOW_PRIVATE_HTTP },
  };
}

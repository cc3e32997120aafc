/** Storage options from the environment: the same variables in every program. */
import { withoutEndSlashes } from '@weft/plan';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import type { StorageOptions } from './create-storage.js';
import { fileUriToPath, isFileUri } from './file-uri.js';
import type { OwnPaths } from './reach.js';
import { sandboxRootOf } from './sandbox-root.js';
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
  // Not read for storage: what lies there is no input.
  WEFT_API_TOKENS_FILE: z.string().optional(),
  WEFT_PUBLIC_TLS_KEY: z.string().optional(),
  WEFT_REDIS_TLS_KEY: z.string().optional(),
  WEFT_TLS_KEY: z.string().optional(),
  WEFT_SANDBOX_ROOT: z.string().optional(),
  WEFT_CACHE_DIR: z.string().optional(),
};

export type StorageVariables = z.output<z.ZodObject<typeof storageVariables>>;

/**
 * @param dataUri where results lie: always allowed
 * @param home `WEFT_HOME`: but for results and programs nothing in it is an input; absent: of a program that stages nothing
 */
export function storageOptionsOf(env: StorageVariables, dataUri: string, home?: string): StorageOptions {
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
    ...(home !== undefined && { own: ownPaths(env, dataUri, home) }),
  };
}

function ownPaths(env: StorageVariables, dataUri: string, home: string): OwnPaths {
  const { WEFT_API_TOKENS_FILE, WEFT_PUBLIC_TLS_KEY, WEFT_REDIS_TLS_KEY, WEFT_TLS_KEY, WEFT_SANDBOX_ROOT, WEFT_CACHE_DIR } = env;
  const data = isFileUri(dataUri) ? withoutEndSlashes(fileUriToPath(dataUri)) || '/' : undefined;
  const sandboxes = WEFT_SANDBOX_ROOT ?? sandboxRootOf(resolve(home), data);
  const named = [WEFT_API_TOKENS_FILE, WEFT_PUBLIC_TLS_KEY, WEFT_REDIS_TLS_KEY, WEFT_TLS_KEY, sandboxes, WEFT_CACHE_DIR];
  return {
    closed: [home, ...named.flatMap((path) => (path ? [path] : []))].map((path) => resolve(path)),
    // Templates bring their tools' files.
    open: [join(home, 'programs'), ...(data === undefined ? [] : [data])],
    ...(data !== undefined && { results: data }),
  };
}

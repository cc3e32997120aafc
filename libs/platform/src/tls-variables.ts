/** Where the files of TLS lie, as the environment of an app says. Apart from what uses them: a client takes no schemas. */
import { z } from 'zod';
import type { TlsFiles } from './certificate-files.js';
import type { PublicTlsFiles } from './public-tls.js';

const path = z.string().min(1).optional();

/** For the schema of an app's environment. */
export const tlsVariables = { WEFT_TLS_CERT: path, WEFT_TLS_KEY: path, WEFT_TLS_CA: path };

type TlsEnvironment = { [name in keyof typeof tlsVariables]?: string | undefined };

/** All three files or none; anything else becomes an issue of the schema. For use in `transform`. */
export function tlsFilesOf(env: TlsEnvironment, context: z.RefinementCtx): TlsFiles | undefined {
  const { WEFT_TLS_CERT: cert, WEFT_TLS_KEY: key, WEFT_TLS_CA: ca } = env;
  if (cert !== undefined && key !== undefined && ca !== undefined) return { cert, key, ca };
  const names = Object.keys(tlsVariables) as (keyof typeof tlsVariables)[];
  const missing = names.filter((name) => env[name] === undefined);
  if (missing.length === names.length) return undefined;
  const message = `must be set too: WEFT_TLS_CERT, WEFT_TLS_KEY and WEFT_TLS_CA go together`;
  context.addIssue({ code: 'custom', path: [missing.join(', ')], message });
  return undefined;
}

/** For the schema of an app's environment. */
export const publicTlsVariables = { WEFT_PUBLIC_TLS_CERT: path, WEFT_PUBLIC_TLS_KEY: path };

type PublicTlsEnvironment = { [name in keyof typeof publicTlsVariables]?: string | undefined };

/** Both files or none; one alone becomes an issue of the schema. For use in `transform`. */
export function publicTlsFilesOf(env: PublicTlsEnvironment, context: z.RefinementCtx): PublicTlsFiles | undefined {
  const { WEFT_PUBLIC_TLS_CERT: cert, WEFT_PUBLIC_TLS_KEY: key } = env;
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return undefined;
  const missing = cert === undefined ? 'WEFT_PUBLIC_TLS_CERT' : 'WEFT_PUBLIC_TLS_KEY';
  context.addIssue({
    code: 'custom',
    path: [missing],
    message: 'must be set too: WEFT_PUBLIC_TLS_CERT and WEFT_PUBLIC_TLS_KEY go together',
  });
  return undefined;
}

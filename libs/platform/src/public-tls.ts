/**
 * TLS towards clients: a server shows a certificate that they trust already and asks them for none (tokens say who they are).
 *
 * Invariant: connections made after the files have changed use what they say then, HTTP and gRPC alike.
 */
import { type ChannelCredentials, type ServerCredentials, credentials, experimental } from '@grpc/grpc-js';
import { z } from 'zod';
import { CertificateFiles, type CertificateLog } from './certificate-files.js';

/** Paths of PEM files. */
export interface PublicTlsFiles {
  /** The certificate with its chain. */
  cert: string;
  key: string;
}

interface HttpsServer {
  setSecureContext(options: { cert: Buffer; key: Buffer }): void;
  on(event: 'close', listener: () => void): unknown;
}

export class PublicTls {
  private readonly files: CertificateFiles;

  /** @throws ServiceError FAILED_PRECONDITION where the files cannot be read or do not fit together */
  constructor(files: PublicTlsFiles, log: CertificateLog) {
    this.files = new CertificateFiles(files, log);
  }

  forGrpc(): ServerCredentials {
    return experimental.createCertificateProviderServerCredentials(this.files, null, false);
  }

  /** Options for an HTTPS server; `renew` keeps them up to date. */
  forHttps(): { cert: Buffer; key: Buffer } {
    const { certificate, privateKey } = this.files.latest;
    return { cert: certificate, key: privateKey };
  }

  /** Until the server closes. */
  renew(server: HttpsServer): void {
    const take = (): void => server.setSecureContext(this.forHttps());
    this.files.addIdentityCertificateListener(take);
    server.on('close', () => this.files.removeIdentityCertificateListener(take));
  }
}

/** For a client of such a server: whom this machine trusts (and NODE_EXTRA_CA_CERTS). */
export const trustingSystem: { forClient(): ChannelCredentials } = { forClient: () => credentials.createSsl() };

const path = z.string().min(1).optional();

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

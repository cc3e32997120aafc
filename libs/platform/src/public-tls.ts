/**
 * TLS towards clients: a server shows a certificate that they trust already and asks them for none (tokens say who they are).
 *
 * Invariant: connections made after the files have changed use what they say then, HTTP and gRPC alike.
 */
import { type ChannelCredentials, type ServerCredentials, credentials, experimental } from '@grpc/grpc-js';
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

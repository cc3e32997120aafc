/**
 * Mutual TLS between services: every server and client has a certificate of one CA and wants one from the other side.
 *
 * Invariants:
 *  1. Only TCP is encrypted: a unix socket belongs to one user of one machine.
 *  2. Connections made after the files have changed use what they say then; those that are there stay.
 */
import { type ChannelCredentials, type ServerCredentials, credentials, experimental, ServerCredentials as Servers } from '@grpc/grpc-js';
import { CertificateFiles, type CertificateLog, type TlsFiles } from './certificate-files.js';

/** Given to every server and client of a process. */
export class ServiceTls {
  private readonly files: CertificateFiles;
  private readonly channel: ChannelCredentials;

  /** @throws ServiceError FAILED_PRECONDITION where the files cannot be read or do not fit together */
  constructor(files: TlsFiles, log: CertificateLog) {
    this.files = new CertificateFiles(files, log);
    this.channel = experimental.createCertificateProviderChannelCredentials(this.files, this.files);
  }

  forServer(): ServerCredentials {
    return experimental.createCertificateProviderServerCredentials(this.files, this.files, true);
  }

  forClient(): ChannelCredentials {
    return this.channel;
  }
}

export function createServiceTls(files: TlsFiles | undefined, log: CertificateLog): ServiceTls | undefined {
  return files === undefined ? undefined : new ServiceTls(files, log);
}

export function serverCredentials(address: string, tls: ServiceTls | undefined): ServerCredentials {
  return tls === undefined || address.startsWith('unix:') ? Servers.createInsecure() : tls.forServer();
}

/** What a client shows and trusts. */
export type ClientTls = Pick<ServiceTls, 'forClient'>;

export function clientCredentials(address: string, tls: ClientTls | undefined): ChannelCredentials {
  return tls === undefined || address.startsWith('unix:') ? credentials.createInsecure() : tls.forClient();
}

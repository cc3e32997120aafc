/**
 * A certificate, its key and the CA, as PEM files that may change: who listens hears of every set that fits together.
 *
 * Invariants:
 *  1. A set is taken as a whole: while certificate and key do not fit (one of them is being replaced), the set before stays in use.
 *  2. Files are watched only while somebody listens, and watching them keeps no process alive.
 */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { experimental } from '@grpc/grpc-js';
import { FileWatch } from './file-watch.js';
import { ServiceError } from './service-error.js';

/** Paths of PEM files. */
export interface TlsFiles {
  /** This service's certificate, with the chain up to the CA where there are others between. */
  cert: string;
  key: string;
  /** Whom to trust, both as client and as server. */
  ca: string;
}

/** Without a CA nobody is asked for a certificate. */
export type WatchedFiles = Omit<TlsFiles, 'ca'> & Partial<Pick<TlsFiles, 'ca'>>;

export interface CertificateLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

interface CertificateSet {
  certificate: Buffer;
  privateKey: Buffer;
  /** Empty where no CA is named. */
  caCertificate: Buffer;
}

export class CertificateFiles implements experimental.CertificateProvider {
  private readonly caListeners = new Set<CaListener>();
  private readonly identityListeners = new Set<IdentityListener>();
  private readonly watched: FileWatch;
  private current: CertificateSet;

  /** @throws ServiceError FAILED_PRECONDITION naming the file, or what does not fit */
  constructor(
    private readonly files: WatchedFiles,
    private readonly log: CertificateLog,
  ) {
    this.current = readSet(files);
    const paths = [files.cert, files.key, files.ca].filter((path) => path !== undefined);
    this.watched = new FileWatch(
      paths,
      () => this.readAgain(),
      (error) => this.complain(error),
    );
  }

  get latest(): { certificate: Buffer; privateKey: Buffer } {
    return this.current;
  }

  addCaCertificateListener(listener: CaListener): void {
    this.caListeners.add(listener);
    this.watch();
    // Not before this call has returned: grpc-js is ready for an answer only then.
    process.nextTick(() => listener(this.current));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.caListeners.delete(listener);
    this.unwatchUnused();
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.identityListeners.add(listener);
    this.watch();
    // Not before this call has returned: grpc-js is ready for an answer only then.
    process.nextTick(() => listener(this.current));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.identityListeners.delete(listener);
    this.unwatchUnused();
  }

  private watch(): void {
    if (this.watched.isOn) return;
    this.watched.start();
    // What changed while nobody listened.
    this.readAgain();
  }

  private unwatchUnused(): void {
    if (this.caListeners.size + this.identityListeners.size === 0) this.watched.stop();
  }

  private readAgain(): void {
    try {
      const found = readSet(this.files);
      if (isSame(found, this.current)) return;
      this.current = found;
      this.watched.start();
    } catch (error) {
      return this.complain(error);
    }
    for (const listener of this.caListeners) listener(this.current);
    for (const listener of this.identityListeners) listener(this.current);
    this.log.info({ certificate: this.files.cert }, 'certificates were replaced');
  }

  private complain(error: unknown): void {
    this.log.warn({ err: error }, 'the certificate files cannot be taken as they are now; the ones before stay in use');
  }
}

function readSet(files: WatchedFiles): CertificateSet {
  const [certificate, privateKey] = [read(files.cert), read(files.key)];
  const caCertificate = files.ca === undefined ? Buffer.alloc(0) : read(files.ca);
  try {
    createSecureContext({ cert: certificate, key: privateKey, ...(files.ca === undefined ? {} : { ca: caCertificate }) });
  } catch (error) {
    const why = error instanceof Object && 'message' in error ? String(error.message) : String(error);
    throw new ServiceError(
      'FAILED_PRECONDITION',
      `${[files.cert, files.key, files.ca].filter(Boolean).join(', ')} do not fit together: ${why}`,
      undefined,
      {
        cause: error,
      },
    );
  }
  return { certificate, privateKey, caCertificate };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ServiceError('FAILED_PRECONDITION', `cannot read ${path}`, undefined, { cause: error });
  }
}

function isSame(a: CertificateSet, b: CertificateSet): boolean {
  return a.certificate.equals(b.certificate) && a.privateKey.equals(b.privateKey) && a.caCertificate.equals(b.caCertificate);
}

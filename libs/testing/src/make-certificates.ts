/**
 * A certificate authority of a test's own and certificates of it, made with the openssl command.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface CertificatePaths {
  cert: string;
  key: string;
  ca: string;
}

export interface TestAuthority {
  /** PEM file of the authority's own certificate. */
  ca: string;
  /** `names` as openssl writes alternative names: `DNS:localhost`, `IP:127.0.0.1`. */
  issue(name: string, names: string[]): CertificatePaths;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Writes into `directory`, which it makes. Throws with openssl's words. */
export function makeAuthority(directory: string, name = 'weft test authority'): TestAuthority {
  mkdirSync(directory, { recursive: true });
  const at = (file: string): string => join(directory, file);
  const [ca, caKey] = [at('ca.crt'), at('ca.key')];
  const constraints = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
  openssl('req', '-x509', ...KEY, '-keyout', caKey, '-out', ca, '-subj', `/CN=${name}`, '-days', '2', ...constraints);
  return {
    ca,
    issue: (subject, names) => {
      const [cert, key] = [at(`${subject}.crt`), at(`${subject}.key`)];
      const signedBy = ['-CA', ca, '-CAkey', caKey];
      const extensions = ['basicConstraints=critical,CA:FALSE', `subjectAltName=${names.join(',')}`].flatMap((line) => ['-addext', line]);
      openssl('req', '-x509', ...signedBy, ...KEY, '-keyout', key, '-out', cert, '-subj', `/CN=${subject}`, '-days', '2', ...extensions);
      return { cert, key, ca };
    },
  };
}

function openssl(...args: string[]): void {
  const { status, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${error?.message ?? stderr}`);
}

/** Debian packages of programs that single tests call: installed once where a program is missing and this is root. */
import { findInPath } from '../stack/programs.js';
import { aptInstall } from './debian.js';

/** Program that tells whether the package is there, and the packages. */
const PROGRAMS: readonly [program: string, ...packages: string[]][] = [
  ['openssl', 'openssl'],
  // A slow disk (apps/cli/src/stack, tests/chaos).
  ['strace', 'strace'],
  // Hosts of a test's own (tests/two-host).
  ['ip', 'iproute2'],
  // One home on two hosts (tests/two-host/shared-home).
  ['bindfs', 'bindfs'],
  // The runner in Python (examples/python-runner).
  ['grpc_python_plugin', 'python3-grpcio', 'protobuf-compiler', 'protobuf-compiler-grpc', 'libprotobuf-dev'],
  // Pulls from a registry (libs/runtimes/src/docker/registry).
  ['docker-registry', 'docker-registry'],
  ['htpasswd', 'apache2-utils'],
];

/** Where one cannot be had the tests that need it say so themselves. */
export function ensurePrograms(say: (line: string) => void): void {
  const missing = PROGRAMS.filter(([program]) => findInPath([program]) === undefined).flatMap(([, ...packages]) => packages);
  if (missing.length === 0 || process.getuid?.() !== 0) return;
  say(`installing ${missing.join(', ')} (Debian packages, once)`);
  if (!aptInstall(...missing)) say(`apt-get could not install ${missing.join(', ')}`);
}

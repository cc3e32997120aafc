/**
 * The environment that a stack's programs start with: the same whoever starts them, so that nothing of one shell sticks for the others.
 * Which of it the caller decides (configuration) is known by name, and is part of what stack it is.
 *
 * Invariants:
 *  1. Nothing goes to the services that is not named here.
 *  2. Values of the configuration leave a stack only as digests: there are secrets among them.
 */
import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { DOCKER_PROGRAMS, GPU_PROGRAMS, REDIS_PROGRAMS, findInPath } from './programs.js';

const STANDARD_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Of weft's variables, those that a command reads for itself. */
const OF_COMMANDS = new Set(['WEFT_HOME', 'WEFT_URL', 'WEFT_API_TOKEN', 'WEFT_DEBUG', 'WEFT_PRIVATE']);

/** How the services reach what is outside: the user's to say, as WEFT_… is. */
const OUTSIDE = new Set([
  ...['REDIS_URL', 'TZ'],
  ...['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_CONFIG', 'DOCKER_API_VERSION'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE'],
  ...['PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'PIP_CERT', 'PIP_CONFIG_FILE', 'PIP_FIND_LINKS', 'PIP_NO_INDEX'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'],
  ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE', 'AWS_REGION', 'AWS_DEFAULT_REGION'],
  ...['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_CA_BUNDLE', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3'],
  ...['AWS_ROLE_ARN', 'AWS_ROLE_SESSION_NAME', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_EC2_METADATA_DISABLED'],
  ...['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'],
]);

/** What they name lies where this shell is; the services are elsewhere. */
const FILES = /^WEFT_(SERVICE_REGISTRY|TEMPLATES|\w+_(FILE|ROOT|DIR|CERT|KEY|CA))$/;

/** Of the session that the stack is started in; they do not tell one stack from another. */
const OF_SESSION = ['HOME', 'USER', 'LOGNAME', 'XDG_RUNTIME_DIR'];

export type Environment = Readonly<Record<string, string | undefined>>;

/** What all programs of a stack start with. */
export function stackEnvironment(env: Environment, root: string): Record<string, string> {
  const session = Object.fromEntries(OF_SESSION.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  return {
    // Without one, some libraries ask the password file, in which not every user stands.
    HOME: root,
    ...session,
    ...configuration(env),
    LANG: 'C.UTF-8',
    PATH: servicePath(env),
    TMPDIR: temporaryDirectory(root),
    WEFT_HOME: root,
  };
}

/** Of services; emptied of what dead ones left when a stack starts. */
export function temporaryDirectory(root: string): string {
  return join(root, 'tmp');
}

/** The standard directories, and where this shell finds what the services start. Tools of runs are found in the PATH that the run brings. */
export function servicePath(env: Environment): string {
  const wanted = [REDIS_PROGRAMS, DOCKER_PROGRAMS, GPU_PROGRAMS].map((names) => findInPath(names, env));
  const found = [process.execPath, ...wanted].flatMap((path) => (path === undefined ? [] : [dirname(path)]));
  return [...new Set([...STANDARD_PATH, ...found])].join(':');
}

/** The variables by which the caller says how the services are to be. */
function configuration(env: Environment): Record<string, string> {
  const counts = (name: string): boolean => (name.startsWith('WEFT_') && !OF_COMMANDS.has(name)) || OUTSIDE.has(name);
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => {
      if (value === undefined || !counts(name)) return [];
      return [[name, FILES.test(name) && value !== '' ? resolve(value) : value]];
    }),
  );
}

/** Digests of the configuration by variable. */
export type Configuration = Readonly<Record<string, string>>;

export function configurationOf(env: Environment): Configuration {
  return Object.fromEntries(
    Object.entries(configuration(env)).map(([name, value]) => [
      name,
      createHash('sha256').update(`${name}=${value}`).digest('hex').slice(0, 16),
    ]),
  );
}

/**
 * Variables that a command would have otherwise than the stack has them. What the operator of a stack that stays has set and the command does
 * not name is the operator's to say.
 */
export function differences(wanted: Configuration, has: Configuration, staysAnyway: boolean): string[] {
  const names = new Set([...Object.keys(wanted), ...(staysAnyway ? [] : Object.keys(has))]);
  return [...names].filter((name) => wanted[name] !== has[name]).sort();
}

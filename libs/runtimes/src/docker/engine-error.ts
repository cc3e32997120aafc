/** What the engine's API answered, as a RuntimeFailure. Looks at status and code; at words only where the engine has nothing better. */
import { RuntimeFailure } from '../ports.js';

export interface EngineError {
  /** HTTP status; undefined where there was no answer. */
  status: number | undefined;
  /** errno name of a connection that failed. */
  code: string | undefined;
  message: string;
}

export function readEngineError(error: unknown): EngineError {
  const fields =
    typeof error === 'object' && error !== null
      ? (error as { statusCode?: unknown; code?: unknown; message?: unknown; json?: unknown })
      : {};
  const json = typeof fields.json === 'object' && fields.json !== null ? (fields.json as { message?: unknown }) : {};
  const message = typeof json.message === 'string' ? json.message : typeof fields.message === 'string' ? fields.message : String(error);
  return {
    status: typeof fields.statusCode === 'number' ? fields.statusCode : undefined,
    code: typeof fields.code === 'string' ? fields.code : undefined,
    message: message.trim(),
  };
}

const UNREACHABLE = new Set([
  ...['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EACCES', 'EPIPE', 'ENOTFOUND', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'],
  ...['ENOTDIR', 'EPERM', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'ENGINE_GONE', 'ANSWER_TOO_LARGE'],
]);

/** Whether the engine has not answered, or not to the end: what it was asked for may be done or not. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof RuntimeFailure) return error.code === 'RUNTIME_UNAVAILABLE';
  const { status, code } = readEngineError(error);
  return status === undefined && code !== undefined && UNREACHABLE.has(code);
}

/** For calls other than pulls. `doing` completes "cannot …". */
export function engineFailure(error: unknown, doing: string): RuntimeFailure {
  if (error instanceof RuntimeFailure) return error;
  const { status, message } = readEngineError(error);
  if (isUnanswered(error))
    return new RuntimeFailure('RUNTIME_UNAVAILABLE', `cannot ${doing}: the Docker engine does not answer (${message})`, true);
  if (/no space left on device/i.test(message)) return new RuntimeFailure('DISK_FULL', `cannot ${doing}: ${message}`, true);
  const missing = /exec: "([^"]*)": (?:executable file not found|.*no such file or directory|permission denied)/i.exec(message);
  if (missing !== null) return new RuntimeFailure('COMMAND_NOT_FOUND', `command '${missing[1]}' not found in the image: ${message}`, false);
  // The engine's own fault may pass; a request that it refuses will be refused again.
  return new RuntimeFailure('INTERNAL', `cannot ${doing}: ${message}`, status === undefined || status >= 500);
}

const FINAL = /manifest unknown|name unknown|not found|does not exist|denied|unauthorized|invalid reference|no basic auth|digest/i;
const REFUSED = /denied|unauthorized|no basic auth/i;
const NETWORK =
  /no such host|server misbehaving|i\/o timeout|connection refused|connection reset|TLS handshake|EOF|Client\.Timeout|network is unreachable/i;

/** Failing to get an image: says which, and why, but nothing of what lies at an address that a document names. */
export function pullFailure(error: unknown, reference: string, withCredentials = false): RuntimeFailure {
  const { status, message } = readEngineError(error);
  if (isUnanswered(error)) return engineFailure(error, `pull image '${reference}'`);
  const said = withoutBody(message);
  const final = status === 404 || status === 400 || FINAL.test(said);
  const advice = !REFUSED.test(said)
    ? ''
    : withCredentials
      ? ' (the credentials that the runner has for this registry do not do)'
      : ' (the runner has no credentials for this registry: docker login, as its user)';
  return new RuntimeFailure('IMAGE_PULL', `cannot pull image '${reference}': ${said}${advice}`, NETWORK.test(said) || !final);
}

const SAID_LENGTH = 500;
/** What is looked through for them: a registry may have written the rest. */
const READ_LENGTH = 4_096;
/** Codes of the registries' protocol, as engines write them; what follows is the registry's own text. */
const REGISTRY_CODE =
  /\b(unauthorized|denied|manifest unknown|manifest invalid|name unknown|name invalid|blob unknown|unsupported|unavailable|unknown|toomanyrequests|too many requests):\s[\s\S]*$/i;

/**
 * The engine's own words. A document may name any address as a registry; engines quote what they find there, which may be for nobody's eyes:
 * the bodies of answers that are no registry's, and the texts in those that are.
 */
export function withoutBody(message: string): string {
  const own = message
    .slice(0, READ_LENGTH)
    .replace(/\s*\b(response body|body|StatusCode: \d+)\b[\s\S]*$/i, ': its answer is not that of a registry')
    .replace(/[<{"][\s\S]*$/, (rest) => (rest.startsWith('"') ? quoted(rest) : ''))
    .replace(REGISTRY_CODE, '$1');
  const line = own.replace(/[^ -~]+/g, ' ').trim();
  return line.length > SAID_LENGTH ? `${line.slice(0, SAID_LENGTH - 1)}…` : line || 'no reason that can be told';
}

/** An address that the engine asked for is quoted too, and may stay: it begins with the registry's. Nothing behind it may that begins anew. */
function quoted(rest: string): string {
  const address = /^"(https?:\/\/[^"\s]*)"([^"<{]*)/i.exec(rest);
  return address === null ? '' : `"${(address[1] ?? '').replace(/\?.*$/, '')}"${address[2] ?? ''}`;
}

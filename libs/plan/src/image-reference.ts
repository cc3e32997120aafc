/**
 * The grammar of image names: `[domain[:port]/]path[/path…][:tag][@digest]`, or an id. The one of the CNCF's distribution project (its package
 * `reference`), which engines and registries share. Pure.
 *
 * Invariant: a name that passes is made of letters, digits and `. _ - : / @ [ ]`, has no empty part and none that begins with a dot, so that it
 * is one path of an engine's or registry's address and cannot lead to another.
 */

const NAME_LENGTH = 255;
/** The longest algorithm in use has 128 digits. */
const LENGTH = 512;

const ID = /^(?:sha256:)?[0-9a-f]{64}$/;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
/** Of the algorithms that engines know. */
const DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

export interface ImageName {
  /** `host` or `host:port`; undefined: the engine's own, Docker Hub as a rule. */
  registry?: string;
  /** What is called there. */
  path: string;
  tag?: string;
  digest?: string;
}

/** An id names an image that is there or not; it cannot be pulled. */
export function isImageId(reference: string): boolean {
  return ID.test(reference);
}

/** The parts of a name that passes; an id has none. */
export function parseImageName(reference: string): ImageName | undefined {
  if (isImageId(reference) || imageNameProblem(reference) !== undefined) return undefined;
  return split(reference);
}

/** What is wrong with it, as the end of a sentence; undefined where nothing is. */
export function imageNameProblem(reference: string): string | undefined {
  if (isImageId(reference)) return undefined;
  if (reference === '') return 'it is empty';
  if (reference.length > LENGTH) return `it has more than ${LENGTH} characters`;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(reference);
  if (scheme !== null) return `it begins with '${shown(scheme[0])}', and a name has no scheme`;
  const { registry, path, tag, digest } = split(reference);
  if (digest !== undefined && !isDigest(digest)) return `'${shown(digest)}' behind the '@' is no digest, such as sha256: and 64 digits`;
  if (tag !== undefined && !TAG.test(tag)) return `'${shown(tag)}' is no tag: letters, digits, '.', '_' and '-', at most 128`;
  if (registry !== undefined && !isHost(registry)) return `'${shown(registry)}' is no registry: host or host:port`;
  const wrong = path.split('/').find((component) => !COMPONENT.test(component));
  if (wrong !== undefined) return componentProblem(wrong);
  const length = path.length + (registry === undefined ? 0 : registry.length + 1);
  return length > NAME_LENGTH ? `without tag and digest it has more than ${NAME_LENGTH} characters` : undefined;
}

/** As engines do: a first part with a dot, a colon or a capital letter, or `localhost`, is a registry. */
function split(reference: string): ImageName {
  const at = reference.indexOf('@');
  const named = at < 0 ? reference : reference.slice(0, at);
  const slash = named.indexOf('/');
  const first = named.slice(0, Math.max(0, slash));
  const isRegistry = slash >= 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const rest = isRegistry ? named.slice(slash + 1) : named;
  const colon = rest.lastIndexOf(':');
  const tagged = colon >= 0 && colon > rest.lastIndexOf('/');
  return {
    ...(isRegistry && { registry: first }),
    path: tagged ? rest.slice(0, colon) : rest,
    ...(tagged && { tag: rest.slice(colon + 1) }),
    ...(at >= 0 && { digest: reference.slice(at + 1) }),
  };
}

function isHost(registry: string): boolean {
  if (!HOST.test(registry)) return false;
  const port = /:(\d+)$/.exec(registry)?.[1];
  return port === undefined || Number(port) <= 65_535;
}

function isDigest(text: string): boolean {
  if (!DIGEST.test(text)) return false;
  const [algorithm = '', digits = ''] = text.split(':');
  return DIGITS[algorithm] === undefined || (DIGITS[algorithm] === digits.length && digits === digits.toLowerCase());
}

function componentProblem(component: string): string {
  if (component === '') return "it has an empty part between '/'";
  if (component.toLowerCase() !== component && COMPONENT.test(component.toLowerCase()))
    return `'${component}' has capital letters, and a name has none: '${component.toLowerCase()}'`;
  return `'${shown(component)}' must be small letters and digits, with single '.', '_', '__' or '-' between them`;
}

/** As part of a message. */
function shown(part: string): string {
  const printable = part.replace(/[^ -~]/g, '\u{fffd}');
  return printable.length > 80 ? `${printable.slice(0, 79)}…` : printable;
}

/** Names of images, as engines keep them; their grammar is `@weft/plan`'s. Pure. */
import { isImageId } from '@weft/plan';

/** With the tag that an engine would assume; digests and ids stay as they are. */
export function withTag(reference: string): string {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return name.includes(':') || name.includes('@') || isImageId(reference) ? reference : `${reference}:latest`;
}

const HUB = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** Whether the registry that an image's name begins with is Docker Hub, which is meant where it begins with none. */
export function isDockerHub(registry: string): boolean {
  return HUB.has(registry);
}

/** The familiar form: `docker.io/library/debian` and `docker.io/debian` are `debian:latest`. */
function familiarName(reference: string): string {
  return withTag(reference)
    .replace(/^(?:index\.)?docker\.io\//, '')
    .replace(/^library\/(?=[^/]+$)/, '');
}

/**
 * Every name under which an engine may hold the image, the given one first. Docker knows that these are one; Podman keeps what was built or
 * imported here below `localhost/`.
 */
export function equivalentNames(reference: string): string[] {
  if (isImageId(reference)) return [reference];
  const familiar = familiarName(reference);
  const firstPart = familiar.split('/')[0] ?? '';
  const onHub = !familiar.includes('/') || !/[.:]|^localhost$/.test(firstPart);
  const names = [withTag(reference), familiar];
  if (onHub) names.push(`docker.io/${familiar.includes('/') ? '' : 'library/'}${familiar}`, `localhost/${familiar}`);
  return [...new Set(names)];
}

/** Podman writes ids without the algorithm. */
export function withAlgorithm(id: string): string {
  return id.includes(':') ? id : `sha256:${id}`;
}

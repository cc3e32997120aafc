/** CWL versions, in order. */
export const VERSIONS = ['v1.0', 'v1.1', 'v1.2', 'v1.3'] as const;
export type Version = (typeof VERSIONS)[number];

/** The version an author means by `v1.2`, `v1.2.0-dev3`, `cwl:v1.2` or the full IRI; undefined where it is none of ours. */
export function parseVersion(text: string): Version | undefined {
  const match = /^(?:cwl:|https?:\/\/(?:www\.)?(?:w3id\.org\/cwl\/cwl#|commonwl\.org\/))?(v1\.[0-3])(?:\.\d+)?(?:-dev\d+)?$/.exec(text);
  return VERSIONS.find((v) => v === match?.[1]);
}

export function isBefore(version: Version, other: Version): boolean {
  return VERSIONS.indexOf(version) < VERSIONS.indexOf(other);
}

/** `data:` addresses (RFC 2397): text that travels inside the document that refers to it. */
const DATA = /^data:([^,]*?)(;base64)?,([^]*)$/;

export function toDataUri(mediaType: string, text: string): string {
  return `data:${mediaType},${encodeURIComponent(text)}`;
}

/** The text in a `data:` address; undefined for any other address. Throws an Error where the text cannot be decoded. */
export function textOfDataUri(uri: string): string | undefined {
  const match = DATA.exec(uri);
  if (match === null) return undefined;
  const [, , base64, data = ''] = match;
  if (base64 !== undefined) return new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(data));
  return decodeURIComponent(data);
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** What the gateway and the threads that read bodies say to each other. What is large travels as text: a tree would be copied node by node, on both. */

/** The bytes of a body. */
export type BodyTask = Uint8Array;

export interface PartText {
  text: string;
  kind: 'object' | 'array';
  keys: string[];
}

export type FromBodyThread = { kind: 'read'; value: unknown; parts: Record<string, PartText> } | { kind: 'refused'; message: string };

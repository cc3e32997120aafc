/** What is wrong with a body, in a sentence for whoever sent it. Whoever reads it makes the service's error of it (body-reader.ts). */
export class BodyRefusal extends Error {
  override readonly name = 'BodyRefusal';
}

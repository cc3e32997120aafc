/** What is wrong with a body, in a sentence for whoever sent it. By shape: it comes from a thread, too. */
export class BodyRefusal extends Error {
  override readonly name = 'BodyRefusal';
}

/**
 * The streams that are open at this moment, over HTTP and gRPC, so that closing the gateway ends them.
 *
 * Invariants: after `closeAll` every stream, also one that is opened later, is aborted at once.
 */
export class OpenStreams {
  private readonly controllers = new Set<AbortController>();
  private closing = false;

  /** True once the gateway closes: a stream that ended may have ended for that. */
  get closed(): boolean {
    return this.closing;
  }

  open(): AbortController {
    const controller = new AbortController();
    if (this.closing) controller.abort();
    else this.controllers.add(controller);
    controller.signal.addEventListener('abort', () => this.controllers.delete(controller), { once: true });
    return controller;
  }

  closeAll(): void {
    this.closing = true;
    for (const controller of this.controllers) controller.abort();
  }
}

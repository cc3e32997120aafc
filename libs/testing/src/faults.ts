/**
 * Ports that misbehave on request: any port, fake or real, wrapped so that chosen calls fail before they happen, lose their answer after they
 * happened, or wait at a gate.
 *
 * Operations are named by their path: `append` of a plain port, `log.append` of a port inside an object of ports.
 */
import { DeferredGate } from './gate.js';

type Fault = { kind: 'fail' | 'lose-answer'; error: unknown } | { kind: 'hold' | 'hold-answer'; gate: DeferredGate };

export class Faults {
  /** Every call that was made, in order, also those that failed. */
  readonly calls: { operation: string; args: unknown[] }[] = [];
  private readonly planned = new Map<string, Fault[]>();

  /** The next `times` calls reject without having happened. */
  fail(operation: string, error: unknown = new Error(`${operation} fails on request`), times = 1): void {
    for (let i = 0; i < times; i++) this.plan(operation, { kind: 'fail', error });
  }

  /** The next call happens, but its caller gets this error. */
  loseAnswer(operation: string, error: unknown = new Error(`the answer of ${operation} is lost on request`)): void {
    this.plan(operation, { kind: 'lose-answer', error });
  }

  /** The next call waits at the gate before it happens. */
  hold(operation: string): DeferredGate {
    const gate = new DeferredGate();
    this.plan(operation, { kind: 'hold', gate });
    return gate;
  }

  /** The next call happens and its answer waits at the gate. */
  holdAnswer(operation: string): DeferredGate {
    const gate = new DeferredGate();
    this.plan(operation, { kind: 'hold-answer', gate });
    return gate;
  }

  /** Faults that no call has met yet; a test that planned one and sees it here did not test what it meant to. */
  get unmet(): string[] {
    return [...this.planned].filter(([, faults]) => faults.length > 0).map(([operation]) => operation);
  }

  /** For wrappers: the fault of this call, if one is planned. */
  take(operation: string, args: unknown[]): Fault | undefined {
    this.calls.push({ operation, args });
    return this.planned.get(operation)?.shift();
  }

  private plan(operation: string, fault: Fault): void {
    const faults = this.planned.get(operation) ?? [];
    faults.push(fault);
    this.planned.set(operation, faults);
  }
}

type Method = (...args: unknown[]) => unknown;

/** The port itself, with the faults in between. Methods must return promises or async iterables. */
export function misbehaving<T extends object>(port: T, faults: Faults, path = ''): T {
  const wrapped = new Map<PropertyKey, unknown>();
  return new Proxy(port, {
    get(target, property, receiver) {
      const value: unknown = Reflect.get(target, property, receiver);
      if (typeof property === 'symbol' || (typeof value !== 'function' && (typeof value !== 'object' || value === null))) return value;
      const operation = path === '' ? property : `${path}.${property}`;
      if (!wrapped.has(property)) {
        const made =
          typeof value === 'function'
            ? wrapMethod(target, value as Method, operation, faults)
            : misbehaving(value as object, faults, operation);
        wrapped.set(property, made);
      }
      return wrapped.get(property);
    },
  });
}

function wrapMethod(target: object, method: Method, operation: string, faults: Faults): Method {
  return (...args) => {
    const fault = faults.take(operation, args);
    const call = (): unknown => method.apply(target, args);
    if (!fault) return call();
    if (fault.kind === 'lose-answer' || fault.kind === 'hold-answer') {
      const answer = call();
      return isAsyncIterable(answer) ? iterateFaulty(() => answer, fault) : settleFaulty(() => answer, fault);
    }
    // Before the call nobody knows whether it gives a promise or a stream: the caller's first move tells.
    return new EitherWay(call, fault);
  };
}

async function settleFaulty(call: () => unknown, fault: Fault): Promise<unknown> {
  if (fault.kind === 'fail') throw fault.error;
  if (fault.kind === 'hold') await fault.gate.pass();
  const answer = await call();
  if (fault.kind === 'lose-answer') throw fault.error;
  if (fault.kind === 'hold-answer') await fault.gate.pass();
  return answer;
}

/** A stream loses its answer after its first item. */
async function* iterateFaulty(call: () => unknown, fault: Fault): AsyncGenerator<unknown> {
  if (fault.kind === 'fail') throw fault.error;
  if (fault.kind === 'hold') await fault.gate.pass();
  for await (const item of call() as AsyncIterable<unknown>) {
    yield item;
    if (fault.kind === 'lose-answer') throw fault.error;
    if (fault.kind === 'hold-answer') await fault.gate.pass();
  }
}

/** Awaited it is a promise, iterated it is a stream; the call is made once. */
class EitherWay implements PromiseLike<unknown> {
  private promise: Promise<unknown> | undefined;
  private iterator: AsyncGenerator<unknown> | undefined;

  constructor(
    private readonly call: () => unknown,
    private readonly fault: Fault,
  ) {}

  then<A, B>(
    onDone?: ((value: unknown) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.promise ??= settleFaulty(this.call, this.fault);
    return this.promise.then(onDone, onError) as Promise<A | B>;
  }

  catch<B>(onError: (reason: unknown) => B | PromiseLike<B>): Promise<unknown> {
    return this.then(undefined, onError);
  }

  finally(onEnd: () => void): Promise<unknown> {
    return this.then(undefined, undefined).finally(onEnd);
  }

  [Symbol.asyncIterator](): AsyncGenerator<unknown> {
    this.iterator ??= iterateFaulty(this.call, this.fault);
    return this.iterator;
  }

  next(): Promise<IteratorResult<unknown>> {
    return this[Symbol.asyncIterator]().next();
  }

  return(value?: unknown): Promise<IteratorResult<unknown>> {
    return this[Symbol.asyncIterator]().return(value);
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

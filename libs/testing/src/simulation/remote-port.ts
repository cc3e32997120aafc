/**
 * Any port as one process of a virtual world sees it: every call is a message there and one back, and either may be late or lost.
 *
 * Invariant: what is called with a listener is told in messages, too, and a listener of a process that crashed is told nothing.
 */
import type { VirtualProcess } from './virtual-world.js';

type Method = (...args: unknown[]) => unknown;

/** `methods`: all that answer with a promise and take no listener; the others stay as they are. */
export function remotePort<T extends object, K extends keyof T & string>(
  process: VirtualProcess,
  name: string,
  port: T,
  methods: readonly K[],
): T {
  const remote = Object.fromEntries(
    methods.map((method) => {
      const operation = `${name}.${method}`;
      const call = (port[method] as Method).bind(port) as (...args: unknown[]) => Promise<unknown>;
      return [method, (...args: unknown[]) => process.call(operation, () => call(...args))];
    }),
  );
  return Object.assign(Object.create(port) as T, remote);
}

/** A listener that hears of things some time later, in a message. */
export function inMessages<A extends unknown[]>(
  process: VirtualProcess,
  what: string,
  listener: (...args: A) => void,
): (...args: A) => void {
  return (...args) => process.receive(() => listener(...args), what);
}

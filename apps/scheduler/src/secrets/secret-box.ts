/**
 * Secrets of runs: sealed where a run is accepted, opened where a task is handed to its runner. In between, in the run's log, its header, its
 * events, the queue and every answer, stands the sealed text alone.
 *
 * Invariants:
 *  1. What was sealed for one run opens in no other: who sees a sealed text cannot have it opened by a run of their own.
 *  2. What cannot be opened fails the task: no tool is given the sealed text for the secret.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { executor } from '@weft/contracts';
import { TaskError } from '@weft/tasks';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /\(secret-([A-Za-z0-9_-]{38,})\)/g;

export class SecretBox {
  /** @param key 32 bytes that all schedulers of a stack share */
  constructor(private readonly key: Buffer) {}

  seal(sealedFor: string, value: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, iv);
    cipher.setAAD(Buffer.from(sealedFor));
    const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    return `(secret-${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')})`;
  }

  /** The spec as its runner needs it: with the secrets, and with what it is not to show. @throws TaskError */
  opened(sealedFor: string | undefined, spec: executor.TaskSpec): executor.TaskSpec {
    if (sealedFor === undefined) return spec;
    const secrets = new Set<string>();
    const open = (text: string): string =>
      text.replace(SEALED, (_whole, sealed: string) => {
        const value = this.open(sealedFor, sealed);
        if (value !== '') secrets.add(value);
        return value;
      });
    const opened = {
      ...spec,
      argv: spec.argv.map(open),
      environment: Object.fromEntries(Object.entries(spec.environment).map(([name, value]) => [name, open(value)])),
      inputs: spec.inputs.map((input) =>
        input.source?.$case === 'text' ? { ...input, source: { ...input.source, value: open(input.source.value) } } : input,
      ),
    };
    return { ...opened, secrets: [...secrets] };
  }

  private open(sealedFor: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64url');
    try {
      const cipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, IV_BYTES));
      cipher.setAAD(Buffer.from(sealedFor));
      cipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return Buffer.concat([cipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), cipher.final()]).toString('utf8');
    } catch {
      throw new TaskError(
        'SECRET',
        'a secret input cannot be opened: it was sealed for another run, or by a stack whose Redis is another one',
      );
    }
  }
}

/** For people: that there is one. */
export function withoutSealed(text: string): string {
  return text.replace(SEALED, '(secret)');
}

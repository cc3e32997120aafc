/**
 * Asks callers of Nest controllers, gRPC or HTTP, for the service secret (`authorization: Bearer <secret>`).
 */
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ServiceError } from '../service-error.js';
import { secretMatches } from '../service-secret.js';

export class ServiceSecretGuard implements CanActivate {
  constructor(private readonly secret: string) {
    if (secret === '') throw new ServiceError('INVALID_ARGUMENT', 'the service secret must not be empty');
  }

  /** Throws UNAUTHENTICATED, so that the error filters answer with a proper status (false would become "forbidden"). */
  canActivate(context: ExecutionContext): boolean {
    if (!secretMatches(headerOf(context), this.secret)) {
      throw new ServiceError('UNAUTHENTICATED', 'the service secret is missing or wrong');
    }
    return true;
  }
}

function headerOf(context: ExecutionContext): unknown {
  if (context.getType() === 'rpc') {
    return context.switchToRpc().getContext<{ get(name: string): unknown[] }>().get('authorization')[0];
  }
  return context.switchToHttp().getRequest<{ headers: Record<string, unknown> }>().headers['authorization'];
}

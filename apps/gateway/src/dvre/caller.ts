/**
 * Who a DVRE call says it comes from: the headers X-User-Wallet and X-User-Role, or the same in the body.
 *
 * Invariants: these are claims, passed on and recorded, never a credential.
 */
import { ServiceError } from '@weft/platform';

const ROLES = ['coordinator', 'contributor', 'observer'] as const;

export interface CallerHeaders {
  'x-user-wallet'?: string;
  'x-user-role'?: string;
}

export interface Caller {
  /** Empty where none was given. */
  wallet: string;
  role: string;
}

/** @throws ServiceError INVALID_ARGUMENT where header and body disagree or the role is none we know. */
export function callerOf(headers: CallerHeaders, body: { user_wallet?: string; user_role?: string }): Caller {
  const wallet = agreed('X-User-Wallet', headers['x-user-wallet'], 'user_wallet', body.user_wallet);
  const role = agreed('X-User-Role', headers['x-user-role'], 'user_role', body.user_role).toLowerCase();
  if (role !== '' && !(ROLES as readonly string[]).includes(role)) {
    throw new ServiceError('INVALID_ARGUMENT', `user_role: '${role}' is none of ${ROLES.join(', ')}`);
  }
  return { wallet, role };
}

function agreed(header: string, fromHeader: string | undefined, field: string, fromBody: string | undefined): string {
  if (fromHeader && fromBody && fromHeader.toLowerCase() !== fromBody.toLowerCase()) {
    throw new ServiceError('INVALID_ARGUMENT', `the header ${header} and '${field}' in the body differ`);
  }
  return fromHeader ?? fromBody ?? '';
}

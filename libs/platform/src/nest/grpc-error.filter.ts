/**
 * Nest's gRPC controllers: any exception → the status that toGrpcError gives it. Register it with `useGlobalFilters` on the microservice.
 */
import { Catch, type ExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import { toGrpcError } from '../grpc-errors.js';
import type { Logger } from '../logger.js';
import { toServiceError } from '../service-error.js';

@Catch()
export class GrpcErrorFilter implements ExceptionFilter {
  constructor(private readonly logger?: Pick<Logger, 'error'>) {}

  catch(exception: unknown): Observable<never> {
    const mapped = toGrpcError(exception);
    if (toServiceError(exception).code === 'INTERNAL') this.logger?.error({ err: exception }, 'a gRPC call failed unexpectedly');
    return throwError(() => mapped);
  }
}

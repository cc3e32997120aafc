export { GrpcErrorFilter } from './grpc-error.filter.js';
export { HttpErrorFilter, type HttpProblem, httpProblemOf } from './http-error.filter.js';
export { ServiceSecretGuard } from './service-secret.guard.js';

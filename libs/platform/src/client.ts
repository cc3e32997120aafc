/** What a program needs that only calls others: without Redis, logs and metrics, which take longer to load than most commands to run. */
export { ServiceError, isServiceError } from './service-error.js';
export { callServerStream, callUnary, createClient } from './grpc-client.js';
export { type RetryAfterOptions, retryWhenTold } from './retry-after.js';
export { trustingSystem } from './public-tls.js';

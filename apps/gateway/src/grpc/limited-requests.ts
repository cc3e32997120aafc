/**
 * Requests of many small parts are refused before they are made into objects: of 16 MB of two-byte labels that would take seconds, on the thread that
 * serves everybody. Long texts are no such parts.
 */
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { ServiceError, toGrpcError } from '@weft/platform';

/** Tags and lengths of one message. A bundle of 10,000 documents, more than are taken, has 60,000. */
const MAX_PARTS = 100_000;

/** Stands where the request would. */
class TooManyParts extends Error {}

class CountingReader extends BinaryReader {
  constructor(bytes: Uint8Array) {
    super(bytes);
    const read = this.uint32;
    let parts = 0;
    this.uint32 = () => {
      parts += 1;
      if (parts > MAX_PARTS) throw new TooManyParts();
      return read.call(this);
    };
  }
}

/** The definition, whose requests have limits, and handlers that answer for those that were refused. */
export function withLimitedRequests<Handlers extends UntypedServiceImplementation>(
  definition: ServiceDefinition<Handlers>,
  handlers: Handlers,
): [ServiceDefinition, UntypedServiceImplementation] {
  const methods = Object.entries(definition as ServiceDefinition).map(([name, method]) => {
    // What ts-proto generates takes a reader as well as bytes.
    const decode = method.requestDeserialize as unknown as (reader: BinaryReader) => unknown;
    return [name, { ...method, requestDeserialize: (bytes: Buffer) => decodedOrRefused(() => decode(new CountingReader(bytes))) }];
  });
  const guarded = Object.entries(handlers).map(([name, handler]) => [name, refusing(handler as Handler)]);
  return [Object.fromEntries(methods) as ServiceDefinition, Object.fromEntries(guarded) as UntypedServiceImplementation];
}

function decodedOrRefused(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    if (error instanceof TooManyParts) return error;
    throw error;
  }
}

type Call = ServerUnaryCall<unknown, unknown> & ServerWritableStream<unknown, unknown>;
type Handler = (call: Call, answer: sendUnaryData<unknown>) => void;

function refusing(handler: Handler): Handler {
  return (call, answer) => {
    if (!(call.request instanceof TooManyParts)) return handler(call, answer);
    const error = toGrpcError(new ServiceError('INVALID_ARGUMENT', `the request has more than ${MAX_PARTS.toLocaleString('en')} parts`));
    // A call that is answered with one message has this; one that is answered with a stream fails as a stream.
    if (typeof answer === 'function') answer(error);
    else call.emit('error', error);
  };
}

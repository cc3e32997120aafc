/**
 * The standard gRPC health service (grpc.health.v1.Health: Check and Watch).
 *
 * Its two messages are written by hand: the ready-made package loads protobuf.js and a .proto file at start, which costs more than
 * the rest of a server and does not survive bundling.
 */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';

export const HEALTH_SERVICE = 'grpc.health.v1.Health';

/** Values of HealthCheckResponse.ServingStatus. */
export const SERVING = 1;
export const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

interface CheckRequest {
  service: string;
}

interface CheckResponse {
  status: number;
}

const messages = {
  requestSerialize: (value: CheckRequest): Buffer => Buffer.from(new BinaryWriter().uint32(10).string(value.service).finish()),
  requestDeserialize: (bytes: Buffer): CheckRequest => ({ service: readField(bytes, 10, (reader) => reader.string()) ?? '' }),
  responseSerialize: (value: CheckResponse): Buffer => Buffer.from(new BinaryWriter().uint32(8).int32(value.status).finish()),
  responseDeserialize: (bytes: Buffer): CheckResponse => ({ status: readField(bytes, 8, (reader) => reader.int32()) ?? 0 }),
};

export const HealthService = {
  check: { path: `/${HEALTH_SERVICE}/Check`, requestStream: false, responseStream: false, ...messages },
  watch: { path: `/${HEALTH_SERVICE}/Watch`, requestStream: false, responseStream: true, ...messages },
} satisfies ServiceDefinition;

/** The state of the services of one server; '' is the server as a whole. */
export class Health {
  private readonly watchers = new Set<() => void>();
  private current = SERVING;

  constructor(private readonly services: ReadonlySet<string>) {}

  set(current: typeof SERVING | typeof NOT_SERVING): void {
    this.current = current;
    for (const tell of this.watchers) tell();
  }

  implementation() {
    return {
      check: (call: ServerUnaryCall<CheckRequest, CheckResponse>, callback: sendUnaryData<CheckResponse>): void => {
        const found = this.statusOf(call.request.service);
        if (found !== SERVICE_UNKNOWN) callback(null, { status: found });
        else callback({ code: status.NOT_FOUND, details: `no service "${call.request.service}" here`, metadata: new Metadata() });
      },
      watch: (call: ServerWritableStream<CheckRequest, CheckResponse>): void => {
        const tell = (): void => void call.write({ status: this.statusOf(call.request.service) });
        this.watchers.add(tell);
        call.once('cancelled', () => this.watchers.delete(tell));
        tell();
      },
    };
  }

  private statusOf(service: string): number {
    return service === '' || this.services.has(service) ? this.current : SERVICE_UNKNOWN;
  }
}

function readField<T>(bytes: Buffer, wanted: number, read: (reader: BinaryReader) => T): T | undefined {
  const reader = new BinaryReader(bytes);
  let value: T | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === wanted) value = read(reader);
    else reader.skip(tag & 7);
  }
  return value;
}

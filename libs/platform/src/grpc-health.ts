/**
 * The standard gRPC health service (grpc.health.v1.Health: Check and Watch), and a client for Check.
 *
 * Its two messages are written by hand: the ready-made package loads protobuf.js and a .proto file at start, which costs more than
 * the rest of a server and does not survive bundling.
 *
 * Invariant: a check has an answer after READY_MS, whatever the server itself waits for.
 */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  Client,
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';

import { callUnary, createClient } from './grpc-client.js';
import { ServiceError } from './service-error.js';
import type { ClientTls } from './service-tls.js';

export const HEALTH_SERVICE = 'grpc.health.v1.Health';

/** Values of HealthCheckResponse.ServingStatus. */
export const SERVING = 1;
export const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/** Milliseconds that what a server needs may take to answer. */
const READY_MS = 1_500;

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

  /** @param ready resolves where the server reaches what it needs */
  constructor(
    private readonly services: ReadonlySet<string>,
    private readonly ready: () => Promise<void> = () => Promise.resolve(),
  ) {}

  set(current: typeof SERVING | typeof NOT_SERVING): void {
    this.current = current;
    for (const tell of this.watchers) tell();
  }

  implementation() {
    return {
      check: (call: ServerUnaryCall<CheckRequest, CheckResponse>, callback: sendUnaryData<CheckResponse>): void => {
        const found = this.statusOf(call.request.service);
        if (found === SERVING) void this.isReady().then((ready) => callback(null, { status: ready ? SERVING : NOT_SERVING }));
        else if (found === NOT_SERVING) callback(null, { status: found });
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

  private isReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), READY_MS);
      const answer = (ready: boolean): void => {
        clearTimeout(timer);
        resolve(ready);
      };
      this.ready().then(
        () => answer(true),
        () => answer(false),
      );
    });
  }

  private statusOf(service: string): number {
    return service === '' || this.services.has(service) ? this.current : SERVICE_UNKNOWN;
  }
}

/** Asks a server whether it serves. Rejects with ServiceError: it cannot be reached, or what it needs cannot. */
export class HealthClient {
  private readonly client: Client;

  /** @param peer what the server is to a reader of messages: "the scheduler" */
  constructor(
    address: string,
    private readonly peer: string,
    { secret, tls }: { secret?: string; tls?: ClientTls } = {},
  ) {
    this.client = createClient(Client, address, secret, tls);
  }

  async check(deadlineMs: number): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = HealthService.check;
    const { client, peer } = this;
    const { status: found } = await callUnary<CheckRequest, CheckResponse>(
      client,
      (request, metadata, options, callback) =>
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, (error, answer) =>
          callback(error, answer ?? { status: 0 }),
        ),
      { service: '' },
      { deadlineMs, peer },
    );
    if (found !== SERVING) throw new ServiceError('UNAVAILABLE', `${peer} answers that it does not serve: what it needs cannot be reached`);
  }

  close(): void {
    this.client.close();
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

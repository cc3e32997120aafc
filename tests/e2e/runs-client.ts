/** The public gRPC interface as a client sees it: the generated one, and one that knows nothing but what reflection tells. */
import { type Client, credentials, loadPackageDefinition, makeGenericClientConstructor, type ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON, loadFileDescriptorSetFromBuffer, type PackageDefinition } from '@grpc/proto-loader';
import { gateway, run } from '@weft/contracts';
import { callServerStream, callUnary, createClient } from '@weft/platform';

export const ENDED = [run.RunStatus.SUCCEEDED, run.RunStatus.FAILED, run.RunStatus.CANCELLED];

export class Runs {
  readonly client: gateway.RunsClient;

  constructor(address: string, token?: string) {
    this.client = createClient(gateway.RunsClient, address, token);
  }

  async submit(cwl: unknown, inputs: object = {}, more: Partial<gateway.SubmitRequest> = {}): Promise<string> {
    const document = { $case: 'cwl' as const, value: JSON.stringify(cwl) };
    const request = gateway.SubmitRequest.fromPartial({ document, inputsJson: JSON.stringify(inputs), ...more });
    const answer = await callUnary(this.client, this.client.submit, request);
    if (!answer.run) throw new Error('an answer without a run');
    return answer.run.runId;
  }

  watch(runId: string): AsyncGenerator<run.RunEvent, void> {
    return callServerStream(this.client.watch.bind(this.client), { runId, afterSequence: 0 });
  }

  logs(runId: string): AsyncGenerator<run.LogChunk, void> {
    return callServerStream(this.client.logs.bind(this.client), { runId, taskId: '', follow: true, afterCursor: '' });
  }

  async cancel(runId: string): Promise<void> {
    await callUnary(this.client, this.client.cancel, { runId, reason: 'the test says so' });
  }

  async retry(runId: string): Promise<void> {
    await callUnary(this.client, this.client.retry, { runId });
  }

  /** The run's last status, once it has ended. */
  async end(runId: string): Promise<run.RunStatusChanged> {
    let last: run.RunStatusChanged | undefined;
    for await (const { event } of this.watch(runId)) if (event?.$case === 'runStatus') last = event.value;
    if (last === undefined || !ENDED.includes(last.status)) throw new Error(`the events of run ${runId} broke off`);
    return last;
  }

  /** All log text so far, once `wanted` is in it. */
  async untilLogged(runId: string, wanted: string): Promise<string> {
    let text = '';
    for await (const chunk of this.logs(runId)) {
      text += chunk.text;
      if (text.includes(wanted)) return text;
    }
    throw new Error(`the run ended without '${wanted}': ${text}`);
  }

  /** Resolves once a task of the run is at work. */
  async untilRunning(runId: string): Promise<run.Task> {
    for await (const { event } of this.watch(runId)) {
      if (event?.$case === 'taskStatus' && event.value.task?.status === run.TaskStatus.RUNNING) return event.value.task;
    }
    throw new Error(`run ${runId} ended before a task was at work`);
  }

  close(): void {
    this.client.close();
  }
}

interface ReflectionAnswer {
  file_descriptor_response?: { file_descriptor_proto: Buffer[] };
}

const REFLECTION: PackageDefinition = fromJSON(
  {
    nested: {
      grpc: {
        nested: {
          reflection: {
            nested: {
              v1: {
                nested: {
                  ServerReflection: {
                    methods: {
                      ServerReflectionInfo: {
                        requestType: 'ServerReflectionRequest',
                        requestStream: true,
                        responseType: 'ServerReflectionResponse',
                        responseStream: true,
                        comment: '',
                      },
                    },
                  },
                  ServerReflectionRequest: {
                    oneofs: { message_request: { oneof: ['file_containing_symbol'] } },
                    fields: { file_containing_symbol: { type: 'string', id: 4 } },
                  },
                  ServerReflectionResponse: { fields: { file_descriptor_response: { type: 'FileDescriptorResponse', id: 4 } } },
                  FileDescriptorResponse: { fields: { file_descriptor_proto: { rule: 'repeated', type: 'bytes', id: 1 } } },
                },
              },
            },
          },
        },
      },
    },
  },
  { keepCase: true },
);

/** A client of a service whose messages are learnt from the server itself. */
export async function reflectedClient(address: string, service: string): Promise<Client & Record<string, (...args: never[]) => unknown>> {
  const files = await descriptorsOf(address, service);
  const set = Buffer.concat(files.map((file) => Buffer.concat([Buffer.from([0x0a]), varint(file.length), file])));
  const definition = loadFileDescriptorSetFromBuffer(set, { keepCase: true, enums: String, defaults: true, oneofs: true })[service];
  const Ctor = makeGenericClientConstructor(definition as ServiceDefinition, service);
  return new Ctor(address, credentials.createInsecure()) as never;
}

function descriptorsOf(address: string, symbol: string): Promise<Buffer[]> {
  const { grpc } = loadPackageDefinition(REFLECTION) as never as {
    grpc: {
      reflection: {
        v1: { ServerReflection: new (address: string, c: unknown) => Client & { ServerReflectionInfo(): NodeJS.ReadWriteStream } };
      };
    };
  };
  const client = new grpc.reflection.v1.ServerReflection(address, credentials.createInsecure());
  return new Promise((resolve, reject) => {
    const call = client.ServerReflectionInfo();
    call.on('error', reject);
    call.on('data', ((answer: ReflectionAnswer) => {
      client.close();
      if (answer.file_descriptor_response) resolve(answer.file_descriptor_response.file_descriptor_proto);
      else reject(new Error(`reflection does not know ${symbol}`));
    }) as never);
    (call as never as { write(request: object): void }).write({ file_containing_symbol: symbol });
    call.end();
  });
}

/** Length as protobuf writes it. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

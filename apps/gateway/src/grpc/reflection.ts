/** Server reflection (v1 and v1alpha) over the project's own .proto files. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Server } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProto } from 'grpc-health-check';
import { ConfigError } from '@weft/platform';

const RUNS_PROTO = 'weft/gateway/v1/runs.proto';

/** @throws ConfigError where the .proto files cannot be found. */
export function addReflection(server: Server, services: string[], protoDir?: string): void {
  const folder = protoDir ?? findProtoDir(dirname(fileURLToPath(import.meta.url)));
  if (folder === undefined || !existsSync(join(folder, RUNS_PROTO))) {
    throw new ConfigError([
      { variable: 'WEFT_PROTO_DIR', message: `no ${RUNS_PROTO} below ${folder ?? 'a proto folder beside the program'}` },
    ]);
  }
  const definition = loadSync([RUNS_PROTO, healthProto], { includeDirs: [folder], keepCase: true });
  new ReflectionService(definition, { services }).addToServer(server);
}

/** The nearest `proto` folder at or above `from`. */
function findProtoDir(from: string): string | undefined {
  const candidate = join(from, 'proto');
  if (existsSync(join(candidate, RUNS_PROTO))) return candidate;
  const parent = dirname(from);
  return parent === from ? undefined : findProtoDir(parent);
}

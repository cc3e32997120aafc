/**
 * The runner of examples/python-runner as a program, where this machine has what it needs: Python's gRPC, protoc and its plugin.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { type RunningProgram, startProgram } from './start-program.js';

const NEEDED = 'python3-grpcio, protobuf-compiler, protobuf-compiler-grpc and libprotobuf-dev';

/** An interpreter that has gRPC. */
function findPython(): string | undefined {
  const has = (python: string): boolean => spawnSync(python, ['-c', 'import grpc, google.protobuf'], { stdio: 'ignore' }).status === 0;
  return ['/usr/bin/python3', 'python3'].find(has);
}

/** Why it cannot be started; undefined where it can. */
export function pythonRunnerUnavailable(): string | undefined {
  const plugin = spawnSync('grpc_python_plugin', ['--version'], { stdio: 'ignore' });
  return findPython() === undefined || plugin.error !== undefined ? `needs ${NEEDED} (Debian packages)` : undefined;
}

/** `env`: its configuration, WEFT_HOME included. */
export function startPythonRunner(env: Record<string, string>): Promise<RunningProgram> {
  return startProgram({ command: resolve('examples/python-runner/run.sh'), env: { PYTHON: findPython() ?? 'python3', ...env } });
}

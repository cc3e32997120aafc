/** `weft up`: the whole stack with its public addresses. An embedded stack that runs already is extended, not replaced. */
import { tellUnfinished, withSchedulerOf } from '../client/connect.js';
import { homeOf } from '../home.js';
import { connectOrStart, type StackConnection } from '../stack/connect.js';
import type { StackStatus } from '../stack/protocol.js';
import { EMBEDDED_SERVICES, EXTRA_SERVICES } from '../stack/services.js';

export async function upCommand(options: { detach?: boolean }): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);
  const home = homeOf();
  const stack = await connectOrStart(home, say, 'needed');
  await stack.ready();
  stack.send({ type: 'extend', services: EXTRA_SERVICES });
  const all = [...EMBEDDED_SERVICES, ...EXTRA_SERVICES];
  const status = await stack.status(({ state, services }) => state === 'ready' && all.every((name) => services[name] !== undefined));
  if (options.detach) stack.send({ type: 'keep' });
  if (stack.startedHere) await withSchedulerOf(status, (runs) => tellUnfinished(runs, say));
  process.stdout.write(describe(status, home.logs));
  if (options.detach) {
    await stack.status(({ kept }) => kept);
    return stack.close();
  }
  await stay(stack, say);
}

async function stay(stack: StackConnection, say: (line: string) => void): Promise<void> {
  stack.onMessage((message) => {
    if (message.type === 'note') say(message.text);
    else if (message.state === 'failed') {
      say(message.message ?? 'the stack failed');
      process.exitCode = 1;
    }
  });
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(130);
      stopping = true;
      say('stopping; Ctrl-C again leaves at once');
      stack.send({ type: 'stop' });
    });
  }
  await stack.closed();
}

function describe(status: StackStatus, logs: string): string {
  const gateway = status.services['gateway']?.addresses ?? {};
  const http = typeof gateway['http'] === 'string' ? gateway['http'] : '';
  const base = http.startsWith('http') ? http : `http://${http}`;
  const lines = [
    'weft is up',
    `  REST and page of the API   ${base}/docs`,
    `  queues                     ${base}/queues`,
    `  gRPC                       ${String(gateway['grpc'] ?? '')}`,
    `  logs                       ${logs}`,
  ];
  return `${lines.join('\n')}\n`;
}

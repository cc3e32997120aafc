/** `weft up`: the whole stack with its public addresses. An embedded stack that runs already is extended, not replaced. */
import { tellUnfinished, withSchedulerOf } from '../client/connect.js';
import { CommandError } from '../errors.js';
import { homeOf } from '../home.js';
import { copyPrograms } from '../stack/build-copy.js';
import { type StackConnection, connectOrStart } from '../stack/connect.js';
import { patiently } from '../stack/patience.js';
import { takenPort } from '../stack/ports.js';
import type { StackStatus } from '../stack/protocol.js';
import { EMBEDDED_SERVICES, EXTRA_SERVICES, listensOf } from '../stack/services.js';

const ALL = [...EMBEDDED_SERVICES, ...EXTRA_SERVICES];
/** Milliseconds for `weft up -d` to hear that the stack stays. */
const ANSWER_MS = 30_000;

export async function upCommand(options: { detach?: boolean }): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);
  const home = homeOf();
  const stack = await connectOrStart(home, say, 'needed');
  let status: StackStatus;
  try {
    const running = await stack.serving(EMBEDDED_SERVICES, say);
    if (running.services['gateway']?.state !== 'ready') await refuseTakenPorts();
    copyPrograms(home, 'extra');
    stack.send({ type: 'extend', services: EXTRA_SERVICES, listens: listensOf(process.env) });
    status = await stack.serving(ALL, say);
  } catch (error) {
    stack.close();
    throw error;
  }
  if (options.detach) stack.send({ type: 'keep' });
  if (stack.startedHere) await withSchedulerOf(status, say, (runs) => tellUnfinished(runs, say));
  process.stdout.write(describe(status, stack.home.logs));
  if (!options.detach) return stay(stack, say);
  await patiently(
    stack.status(({ kept }) => kept),
    { limitMs: ANSWER_MS, say, what: () => 'the supervisor to answer' },
  );
  stack.close();
}

/** The gateway itself would say so in its log; here it is a sentence. What runs goes on either way. */
async function refuseTakenPorts(): Promise<void> {
  const taken = await takenPort();
  if (taken === undefined) return;
  const { listen, variable, holder } = taken;
  throw new CommandError(
    `the gateway cannot listen on ${listen}, which is taken${holder}: set ${variable} to another address; runs go on meanwhile`,
  );
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
      if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143);
      stopping = true;
      say('stopping; Ctrl-C again leaves at once');
      stack.send({ type: 'stop' });
    });
  }
  await stack.closed();
  // A stack says that it stops before it goes.
  const last = stack.known?.state;
  if (last !== 'stopping' && last !== 'failed')
    throw new CommandError(
      `the supervisor (pid ${stack.known?.pid}) is gone without a word; its programs end by themselves, and \`weft up\` starts them again`,
    );
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

/**
 * The coordinator's services over real gRPC, with a store and a scheduler of the test's choice, and a way to wait for a command's end.
 */
import { al } from '@weft/contracts';
import { callUnary, createClient, createLogger, startGrpcServer } from '@weft/platform';
import { AlGrpcController } from '../al.grpc.controller.js';
import { AlService } from '../al.service.js';
import { GrpcScheduler } from '../runs/grpc-scheduler.adapter.js';
import { RunFollower } from '../runs/run.follower.js';
import type { AlRuntime } from '../runtime/al-runtime.js';
import { type Note, RuntimeProvider } from '../runtime/runtime.provider.js';
import type { Command } from '../session/session.types.js';
import type { SessionStore, StoreChange } from '../store/session-store.port.js';
import { SessionUpdater } from '../store/session.updater.js';
import { findTemplates, TemplateCatalog } from '../templates/template.catalog.js';

export interface Harness {
  client: al.AlCoordinatorClient;
  service: AlService;
  send(command: string, parameters?: object, more?: Partial<al.CommandRequest>): Promise<al.Command>;
  session(sessionId: string): Promise<al.Session>;
  /** Resolves with the command once a state of it that satisfies `is` has been stored (default: it has ended). */
  stored(commandId: string, is?: (command: Command) => boolean): Promise<Command>;
  /** Pauses that were asked for between attempts, in ms. */
  pauses: number[];
  close(): Promise<void>;
}

const LOCAL: AlRuntime = { kind: 'python', python: '/opt/py/bin/python' };
let ids = 0;

export async function startHarness(
  store: SessionStore,
  schedulerAddress: string,
  prepare: (note: Note) => Promise<AlRuntime> = async () => LOCAL,
): Promise<Harness> {
  const observed = new ObservedStore(store);
  const updater = new SessionUpdater(observed);
  const scheduler = new GrpcScheduler(schedulerAddress);
  const templates = new TemplateCatalog(findTemplates(import.meta.url));
  const pauses: number[] = [];
  const now = (): string => new Date().toISOString();
  const follower = new RunFollower({
    updater,
    scheduler,
    templates,
    runtime: new RuntimeProvider(prepare),
    logger: createLogger('al-test', 'silent'),
    delay: async (ms) => void pauses.push(ms),
    now,
  });
  const service = new AlService({ store: observed, updater, follower, now, newId: (prefix) => `${prefix}-${(ids += 1)}` });
  const implementation = new AlGrpcController(service, templates).handlers();
  const server = await startGrpcServer({ listen: '127.0.0.1:0', services: [{ definition: al.AlCoordinatorService, implementation }] });
  const client = createClient(al.AlCoordinatorClient, server.address);
  return {
    client,
    service,
    pauses,
    send: async (command, parameters = {}, more = {}) => {
      const request = { projectId: 'p', command, parametersJson: JSON.stringify(parameters), ...more };
      const { command: answer } = await callUnary(client, client.command, al.CommandRequest.fromPartial(request));
      if (!answer) throw new Error('no command in the answer');
      return answer;
    },
    session: async (sessionId) => {
      const { session } = await callUnary(client, client.getSession, { projectId: 'p', sessionId });
      if (!session) throw new Error('no session in the answer');
      return session;
    },
    stored: (commandId, is = (command) => command.finishedAt !== undefined) => observed.stored(commandId, is),
    close: async () => {
      client.close();
      await server.close(0);
      await follower.close();
      scheduler.close();
    },
  };
}

/** Tells of every stored command, past and to come. */
class ObservedStore implements SessionStore {
  private readonly seen: Command[] = [];
  private readonly listeners = new Set<(command: Command) => void>();

  constructor(private readonly inner: SessionStore) {}

  getSession: SessionStore['getSession'] = (...args) => this.inner.getSession(...args);
  listSessions: SessionStore['listSessions'] = (...args) => this.inner.listSessions(...args);
  listAllSessions: SessionStore['listAllSessions'] = (...args) => this.inner.listAllSessions(...args);
  getCommand: SessionStore['getCommand'] = (...args) => this.inner.getCommand(...args);
  listCommands: SessionStore['listCommands'] = (...args) => this.inner.listCommands(...args);
  commandOfKey: SessionStore['commandOfKey'] = (...args) => this.inner.commandOfKey(...args);
  openCommands: SessionStore['openCommands'] = () => this.inner.openCommands();

  async commit(change: StoreChange): Promise<boolean> {
    const done = await this.inner.commit(change);
    if (done) {
      for (const command of change.commands) {
        this.seen.push(command);
        for (const listener of this.listeners) listener(command);
      }
    }
    return done;
  }

  stored(commandId: string, is: (command: Command) => boolean): Promise<Command> {
    const matches = (command: Command): boolean => command.commandId === commandId && is(command);
    const past = this.seen.find(matches);
    if (past) return Promise.resolve(past);
    return new Promise((resolve) => {
      const listener = (command: Command): void => {
        if (!matches(command)) return;
        this.listeners.delete(listener);
        resolve(command);
      };
      this.listeners.add(listener);
    });
  }
}

/** What the engine remembers of a container. It keeps its latest events in memory, so that they also tell whether it was started again since. */
import type Docker from 'dockerode';
import type { Seen } from './belief.js';
import { readEvents, stopsTool } from './container-events.js';

/** What an engine remembers at least before it forgets the oldest; one that remembers as many has been there for long. */
const REMEMBERED = 256;
/** FinishedAt is the process's end, which the engine hears of a little later. */
const RECORDED_S = 0.5;

/** Whether the engine is the one that started the container, as far as anybody can tell, and whether it keeps containers when it goes. */
export async function engineHistory(docker: Docker, containerId: string): Promise<Pick<Seen, 'engine' | 'liveRestore'>> {
  const { SystemTime, LiveRestoreEnabled } = (await docker.info()) as { SystemTime: string; LiveRestoreEnabled?: boolean };
  const until = Date.parse(SystemTime) / 1000;
  const started = await count(docker, until, { container: [containerId], event: ['start'] });
  const same = started > 0 || (await count(docker, until, {})) >= REMEMBERED;
  return { engine: same ? 'same' : 'restarted', liveRestore: LiveRestoreEnabled === true };
}

/** Whether somebody had the engine end the container: a tool that ends itself needs nobody for it. */
export async function wasStopped(docker: Docker, containerId: string, finishedAt: string): Promise<boolean> {
  const until = Date.parse(finishedAt) / 1000 + RECORDED_S;
  for await (const event of past(docker, until, { type: ['container'], container: [containerId], event: ['kill'] }))
    if (event.Action === 'kill' && stopsTool(event)) return true;
  return false;
}

async function count(docker: Docker, until: number, filters: Record<string, string[]>): Promise<number> {
  let found = 0;
  for await (const _event of past(docker, until, filters)) if (++found >= REMEMBERED) break;
  return found;
}

/** @param until seconds, by the engine's clock */
async function* past(docker: Docker, until: number, filters: Record<string, string[]>): ReturnType<typeof readEvents> {
  const stream = await docker.getEvents({ since: 1, until, filters: JSON.stringify(filters) });
  yield* readEvents(stream);
}

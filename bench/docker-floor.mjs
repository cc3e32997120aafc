// What the Docker engine itself takes for one task: create, start, wait, remove over its API, with the isolation that weft asks for.
import Docker from 'dockerode';

const IMAGE = 'debian:stable-slim';

/** Milliseconds of wall time per container, `parallel` at a time. */
export async function dockerFloorMs(count, parallel) {
  const docker = new Docker();
  let left = count;
  const started = process.hrtime.bigint();
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await one(docker);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return Number(process.hrtime.bigint() - started) / 1e6 / count;
}

async function one(docker) {
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: ['echo', '1'],
    HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], Init: true },
  });
  try {
    const ended = container.wait({ condition: 'next-exit' });
    await container.start();
    await ended;
  } finally {
    await container.remove({ force: true });
  }
}

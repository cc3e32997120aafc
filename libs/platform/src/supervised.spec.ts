import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { followSupervisor, isSupervised } from './supervised.js';

describe('followSupervisor', () => {
  it('answers what it is asked, and says once that the supervisor has gone', async () => {
    const [line, answers] = [new PassThrough(), new PassThrough().setEncoding('utf8')];
    let ends = 0;
    followSupervisor(() => (ends += 1), line, answers);
    line.write('ping\nother\n');
    line.end('ping\n');
    await once(line, 'close');
    expect([answers.read(), ends]).toEqual(['pong\npong\n', 1]);
  });

  it('is for those who were started by one', () => {
    expect([isSupervised(['node', 'x.mjs']), isSupervised(['node', 'x.mjs', '--weft-stack=/home/u/.weft'])]).toEqual([false, true]);
  });
});

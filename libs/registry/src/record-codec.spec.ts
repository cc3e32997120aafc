import { aRunner } from '@weft/testing';
import { IDLE } from './ports.js';
import { decodeRunner } from './record-codec.js';

const { load: _load, lastSeenMs: _seen, ...lasting } = aRunner() as ReturnType<typeof aRunner> & { lastSeenMs?: number };
const record = JSON.stringify(lasting);
const load = JSON.stringify({ ...IDLE, diskBytes: 5 });

it('a record and its load are a runner, also with what a later version adds', () => {
  const later = JSON.stringify({ ...lasting, later: 1 });
  expect(decodeRunner(later, load)).toMatchObject({ runnerId: lasting.runnerId, capacity: { diskBytes: 5 }, load: IDLE });
  expect(decodeRunner(record, '')).toMatchObject({ runnerId: lasting.runnerId, load: IDLE });
});

it.each(['', 'no JSON', '[]', 'null', '{}', '{"runnerId":"x"}', 'x'.repeat(1000), record.replace('"draining":false', '"draining":"no"')])(
  'text %# is no record of a runner',
  (text) => expect(decodeRunner(text, load)).toBeUndefined(),
);

it.each(['{', 'null', '{}', load.replace('"tasksWaiting":0', '"tasksWaiting":-1')])('with the load %s a record is none', (text) =>
  expect(decodeRunner(record, text)).toBeUndefined(),
);

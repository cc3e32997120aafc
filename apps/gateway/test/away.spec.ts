/** What clients are told while a service behind the gateway is away. */
import { call, testConfig } from './harness.js';
import { startGateway, type Gateway } from '../src/app.js';

describe('a service that is away', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway(testConfig(), null);
  });
  afterAll(() => gateway.close());

  it.each([
    ['GET', '/api/v1/runs', 'the scheduler'],
    ['GET', '/api/v1/runs/r-1/events', 'the scheduler'],
    ['GET', '/streamflow/status/r-1', 'the scheduler'],
    ['GET', '/al-engine/sessions', 'the AL coordinator'],
    ['GET', '/dal/templates', 'the AL coordinator'],
  ])('%s %s: %s does not answer', async (method, path, service) => {
    const answer = await call(`http://${gateway.httpAddress}`, method, path);
    expect(answer).toMatchObject({ status: 503, body: { error: `${service} does not answer`, code: 'UNAVAILABLE' } });
  });
});

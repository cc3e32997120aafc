import { type AddressInfo, createServer, type Server } from 'node:net';
import { takenPort } from './ports.js';

let server: Server;
beforeEach(() => new Promise<void>((done) => void (server = createServer().listen(0, '127.0.0.1', done))));
afterEach(() => new Promise((done) => server.close(done)));
const taken = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

it('of the gateway’s addresses the one that is taken is told, with its variable and who has it', async () => {
  const found = await takenPort({ WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: taken() });
  expect(found).toEqual({ listen: taken(), variable: 'WEFT_GRPC_LISTEN', holder: expect.stringContaining(`(pid ${process.pid})`) });
});

it('none is where both are free, or where the gateway itself will say what is wrong', async () => {
  expect(await takenPort({ WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: '192.0.2.1:1' })).toBeUndefined();
});

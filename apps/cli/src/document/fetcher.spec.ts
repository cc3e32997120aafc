import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localFetcher } from './fetcher.js';

it('says why a server cannot be reached', async () => {
  await expect(localFetcher.fetch('http://127.0.0.1:1/tool.cwl')).rejects.toThrow(
    /^http:\/\/127\.0\.0\.1:1\/tool\.cwl: .*(ECONNREFUSED|bad port)/,
  );
});

it('asks a server once for a document, however often it is read', async () => {
  let asked = 0;
  const server = createServer((_request, response) => void response.end(`cwlVersion: v1.2 # ${(asked += 1)}`));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tool.cwl`;
    const texts = [await localFetcher.fetch(uri), await localFetcher.fetch(uri)];
    expect(texts).toEqual(['cwlVersion: v1.2 # 1', 'cwlVersion: v1.2 # 1']);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

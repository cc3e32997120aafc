import { localFetcher } from './fetcher.js';

it('says why a server cannot be reached', async () => {
  await expect(localFetcher.fetch('http://127.0.0.1:1/tool.cwl')).rejects.toThrow(
    /^http:\/\/127\.0\.0\.1:1\/tool\.cwl: .*(ECONNREFUSED|bad port)/,
  );
});

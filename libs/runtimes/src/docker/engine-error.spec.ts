import Docker from 'dockerode';
import { isPlainPath, watchRequests } from './engine-requests.js';
import { pullFailure, withoutBody } from './engine-error.js';

describe('what is told of a pull that failed', () => {
  it.each([
    [
      'error parsing HTTP 404 response body: invalid character \'<\' looking for beginning of value: "<h1>SECRET</h1>"',
      'error parsing HTTP 404: its answer is not that of a registry',
    ],
    [
      'error parsing HTTP 403 response body: no error details found in HTTP response body: "{\\"token\\":\\"SECRET\\"}"',
      'error parsing HTTP 403: its answer is not that of a registry',
    ],
    ['StatusCode: 401, SECRET\nSECRET', ': its answer is not that of a registry'],
    ['denied: SECRET', 'denied'],
    ['unknown: {"a":"SECRET"}', 'unknown'],
    ['unexpected answer <html>SECRET', 'unexpected answer'],
    ['failed: "SECRET" and more', 'failed:'],
    ['Get "http://127.0.0.1:1/v2/?q=SECRET": "SECRET"', 'Get "http://127.0.0.1:1/v2/":'],
    ['manifest for a:1 not found: manifest unknown: SECRET', 'manifest for a:1 not found: manifest unknown'],
    ['Get "https://r.test/v2/": dial tcp: lookup r.test: no such host', 'Get "https://r.test/v2/": dial tcp: lookup r.test: no such host'],
    ['received unexpected HTTP status: 502 Bad Gateway', 'received unexpected HTTP status: 502 Bad Gateway'],
    ['x509: certificate signed by unknown authority', 'x509: certificate signed by unknown authority'],
    ['', 'no reason that can be told'],
    ['a'.repeat(600), `${'a'.repeat(499)}…`],
    ['line\r\n\u001b[31mline', 'line [31mline'],
  ])('%j', (message, told) => expect(withoutBody(message)).toBe(told));

  it.each([
    [
      'denied: x',
      false,
      false,
      "cannot pull image 'a:1': denied (the runner has no credentials for this registry: docker login, as its user)",
    ],
    [
      'unauthorized: x',
      true,
      false,
      "cannot pull image 'a:1': unauthorized (the credentials that the runner has for this registry do not do)",
    ],
    ['dial tcp: connection refused', false, true, "cannot pull image 'a:1': dial tcp: connection refused"],
    ['manifest unknown: x', false, false, "cannot pull image 'a:1': manifest unknown"],
  ])('%s (with credentials: %s) may pass another time: %s', (message, credentials, retryable, told) =>
    expect(pullFailure({ statusCode: 500, message }, 'a:1', credentials)).toMatchObject({ code: 'IMAGE_PULL', message: told, retryable }),
  );
});

describe('the address of a request to the engine', () => {
  it.each(['/images/debian:1/json', '/images/[::1]:5/a@sha256:0/json', '/v1.41/containers/a_b.1/wait?condition=..', '/_ping'])(
    '%s goes',
    (path) => expect(isPlainPath(path)).toBe(true),
  );
  it.each(['/images/../x', '/images/./x', '/images/a b', '/images/a%2f', '/images/a\r\n', '/images/a#b', '/images/a\\b', '/images/ü/json'])(
    '%j does not',
    (path) => expect(isPlainPath(path)).toBe(false),
  );

  it('is looked at before it is sent, whatever was forgotten elsewhere', async () => {
    const docker = new Docker({ socketPath: '/nonexistent/engine.sock' });
    const quiet = { answered: () => undefined, suspect: () => undefined };
    watchRequests(docker, { pingMs: 1, gone: new AbortController().signal, ...quiet });
    await expect(docker.getImage('../containers/x').inspect()).rejects.toThrow(
      'the address of a request to the engine holds what none may',
    );
    await expect(docker.getImage('x').inspect()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

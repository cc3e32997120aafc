/**
 * The AWS SDK, set up for this project. Imported only when the first s3: URI is met: it is larger than everything else together.
 *
 * What differs from the SDK's defaults: checksums are the Content-MD5 that every S3 server knows, which this project sets itself; a
 * connection that says nothing for a minute is given up.
 */
import { createHash } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';

export interface S3ClientOptions {
  /** Of a server that is not AWS, e.g. https://minio.example.org:9000. */
  endpoint?: string;
  region?: string;
  /** Bucket in the path instead of in the host's name. Default: where an endpoint is given. */
  forcePathStyle?: boolean;
}

const CONNECT_MS = 10_000;
const SILENT_MS = 60_000;

/** Credentials come from the SDK's default chain: AWS_ACCESS_KEY_ID …, profiles, web identity, the machine's role. */
export function createS3Client(options: S3ClientOptions): S3Client {
  // It would write to stderr, which carries nothing but the log.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const { endpoint, region } = options;
  const ownServer = endpoint !== undefined;
  const client = new S3Client({
    ...(ownServer ? { endpoint } : {}),
    ...(region !== undefined || ownServer ? { region: region ?? 'us-east-1' } : {}),
    forcePathStyle: options.forcePathStyle ?? ownServer,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
  });
  // DeleteObjects needs a checksum; the SDK sends a newer kind, which several servers do not take for one.
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const request = args.request as { body?: unknown; headers: Record<string, string> };
      if (context.commandName === 'DeleteObjectsCommand' && typeof request.body === 'string') {
        request.headers['content-md5'] = createHash('md5').update(request.body).digest('base64');
      }
      return next(args);
    },
    { step: 'build', priority: 'low', name: 'contentMd5OfDeleteObjects' },
  );
  return client;
}

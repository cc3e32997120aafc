/** The OpenAPI page at /docs and its JSON at /docs-json. */
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const DESCRIPTION =
  'Runs CWL workflows. The native API is **runs**; the DVRE sections serve clients of that dialect. ' +
  'Every failure is `{ error, code, diagnostics? }`, also of what no single call describes: 404 (no such path), 405 (`Allow` says which methods ' +
  'there are), 408, 413, 414, 415, 417, 431. Bodies are JSON in UTF-8, plain or with `Content-Encoding` gzip, deflate or br. ' +
  'The same runs are served over gRPC as `weft.gateway.v1.Runs` (with reflection).';

export function serveApiPages(app: NestFastifyApplication): void {
  const outline = new DocumentBuilder().setTitle('weft').setDescription(DESCRIPTION).setVersion('1').addBearerAuth().build();
  const document = SwaggerModule.createDocument(app, outline);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'docs-json', customSiteTitle: 'weft API' });
}

/** For operators: /healthz, /readyz, /metrics, and the DVRE dialect's health page /tree. */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { describeRoute } from '../http/openapi.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { Readiness, type ReadinessReport } from './readiness.js';

const Live = z.strictObject({ status: z.literal('ok') });
const Ready = z.strictObject({ ready: z.boolean(), checks: z.strictObject({ scheduler: z.string(), redis: z.string() }) });

@ApiTags('operations')
@Controller()
export class OpsController {
  constructor(
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(GatewayMetrics) private readonly gatewayMetrics: GatewayMetrics,
  ) {}

  @Get('healthz')
  @describeRoute({ summary: 'The gateway is alive (needs no token)', answers: { 200: Live }, errors: [], anyQuery: true })
  live(): object {
    return { status: 'ok' };
  }

  @Get('readyz')
  @describeRoute({
    summary: 'Scheduler and Redis can be reached; says which cannot',
    answers: { 200: Ready, 503: Ready },
    errors: [],
    anyQuery: true,
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessReport> {
    const report = await this.readiness.report();
    void reply.code(report.ready ? 200 : 503);
    return report;
  }

  @Get('metrics')
  @describeRoute({ summary: 'Metrics in the Prometheus text format', answers: { 200: 'text/plain' }, errors: [], anyQuery: true })
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { contentType, body } = await this.gatewayMetrics.scrape();
    void reply.type(contentType).send(body);
  }

  @Get('tree')
  @describeRoute({
    summary: 'Health page of the DVRE dialect',
    answers: { 200: 'text/html', 503: 'text/html' },
    errors: [],
    anyQuery: true,
  })
  async tree(@Res() reply: FastifyReply): Promise<void> {
    const report = await this.readiness.report();
    void reply
      .code(report.ready ? 200 : 503)
      .type('text/html; charset=utf-8')
      .send(treePage(report));
  }
}

function treePage({ ready, checks }: ReadinessReport): string {
  const rows = Object.entries(checks).map(([name, state]) => `<li>${name}: ${escapeHtml(state)}</li>`);
  const links = ['/docs', '/queues', '/streamflow/workflows', '/al-engine/sessions', '/metrics'].map(
    (path) => `<li><a href="${path}">${path}</a></li>`,
  );
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>weft</title></head><body><h1>weft is ${ready ? 'ready' : 'not ready'}</h1>` +
    `<ul>${rows.join('')}</ul><ul>${links.join('')}</ul></body></html>\n`
  );
}

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

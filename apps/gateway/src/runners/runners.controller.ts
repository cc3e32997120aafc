/** For operators: /api/v1/runners. */
import { Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RunnersGateway } from '../clients/runners.client.js';
import { describeRoute } from '../http/openapi.js';
import { ZodPipe } from '../http/validation.js';
import { runnerView } from './runner.view.js';
import * as schemas from './runners.schemas.js';
import type { RunnersQueryData } from './runners.schemas.js';

@ApiTags('runners')
@Controller('api/v1/runners')
export class RunnersController {
  constructor(@Inject(RunnersGateway) private readonly runners: RunnersGateway) {}

  @Get()
  @describeRoute({
    summary: 'List the runners that are there, with what they have and what their tasks hold',
    query: schemas.RunnersQuery,
    answers: { 200: schemas.RunnerList },
    errors: [400, 503],
  })
  async list(@Query(new ZodPipe(schemas.RunnersQuery, 'query')) query: RunnersQueryData): Promise<object> {
    return { runners: (await this.runners.list(query.pool ?? '')).map(runnerView) };
  }

  @Post(':id/drain')
  @HttpCode(204)
  @describeRoute({
    summary: 'Give a runner no new tasks, until that is taken back; it finishes what it has',
    answers: { 204: null },
    errors: [404, 503],
  })
  drain(@Param('id') id: string): Promise<void> {
    return this.runners.drain(id, true);
  }

  @Post(':id/undrain')
  @HttpCode(204)
  @describeRoute({ summary: 'Give a runner tasks again', answers: { 204: null }, errors: [404, 503] })
  undrain(@Param('id') id: string): Promise<void> {
    return this.runners.drain(id, false);
  }
}

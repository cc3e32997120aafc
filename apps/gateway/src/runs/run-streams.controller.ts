/** What of a run may be long, over HTTP, as it comes: events (SSE), logs (plain text), input and output objects (JSON). */
import { Controller, Get, Headers, Inject, Param, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type gateway, run, status } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import type { FastifyReply } from 'fastify';
import { describeRoute } from '../http/openapi.js';
import { OpenStreams } from '../http/open-streams.js';
import { sendBytes, sendJson, sendText, streamSignal } from '../http/reply-stream.js';
import { ZodPipe } from '../http/validation.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/config.js';
import { numberedEvents, parseLastEventId, replayAfter, sseFrames, type NumberedEvent } from './run-events.stream.js';
import { runStatusWord } from './run.view.js';
import { labelledLogText, rawLogText } from './run-logs.stream.js';
import * as schemas from './runs.schemas.js';
import type { LogsQueryData, TaskLogQueryData } from './runs.schemas.js';
import { RunsService } from './runs.service.js';

@ApiTags('runs')
@Controller('api/v1/runs')
export class RunStreamsController {
  constructor(
    @Inject(RunsService) private readonly runs: RunsService,
    @Inject(OpenStreams) private readonly streams: OpenStreams,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'heartbeatMs'>,
  ) {}

  @Get(':id/events')
  @describeRoute({
    summary: "A run's events as Server-Sent Events, from the first (or after Last-Event-ID) until the run ends",
    headers: { 'Last-Event-ID': 'Go on after this event' },
    answers: { 200: 'text/event-stream', 204: null },
    errors: [400, 404, 503],
  })
  async events(@Param('id') id: string, @Headers('last-event-id') lastId: string | undefined, @Res() reply: FastifyReply): Promise<void> {
    const resume = parseLastEventId(lastId);
    const ended = status.isFinalStatus((await this.runs.get(id)).status);
    const signal = streamSignal(reply, this.streams);
    let events: AsyncIterable<NumberedEvent> = numberedEvents(
      this.runs.watch({ runId: id, afterSequence: replayAfter(resume) }, signal),
      resume,
    );
    if (resume && ended) {
      const first = await peek(events);
      // 204 tells an EventSource that has seen the end not to come back.
      if (!first) return void reply.code(204).send();
      events = first;
    }
    sendText(reply, 'text/event-stream; charset=utf-8', sseFrames(events, signal, this.config.heartbeatMs));
  }

  @Get(':id/inputs')
  @describeRoute({ summary: 'The CWL input object of a run, however long', answers: { 200: schemas.InputsView }, errors: [404, 503] })
  async inputs(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    await this.sendObject(reply, { runId: id, kind: run.ObjectKind.INPUTS, taskId: '' });
  }

  @Get(':id/outputs')
  @describeRoute({
    summary: 'The CWL output object of a run that succeeded, or what one has that failed with failure_mode `continue`, however long',
    answers: { 200: schemas.OutputsView },
    errors: [404, 409, 503],
  })
  async outputs(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const found = await this.runs.get(id);
    const hasParts = found.status === run.RunStatus.FAILED && (found.outputsJson !== '' || found.outputsOmitted);
    if (found.status !== run.RunStatus.SUCCEEDED && !hasParts) throw noOutputs(found);
    // What is short came with the run.
    if (found.outputsJson !== '') return sendJson(reply, Buffer.from(found.outputsJson));
    await this.sendObject(reply, { runId: id, kind: run.ObjectKind.OUTPUTS, taskId: '' });
  }

  @Get(':id/tasks/:task/outputs')
  @describeRoute({
    summary: 'The outputs of a task that succeeded, however long',
    answers: { 200: schemas.OutputsView },
    errors: [404, 503],
  })
  async taskOutputs(@Param('id') id: string, @Param('task') task: string, @Res() reply: FastifyReply): Promise<void> {
    await this.sendObject(reply, { runId: id, kind: run.ObjectKind.OUTPUTS, taskId: task });
  }

  private async sendObject(reply: FastifyReply, request: gateway.ObjectRequest): Promise<void> {
    const parts = this.runs.object(request, streamSignal(reply, this.streams));
    // The first part tells whether there is one: a failure still gets its status.
    sendJson(reply, (await peek(bytesOf(parts))) ?? empty());
  }

  @Get(':id/logs')
  @describeRoute({
    summary: "A run's logs; with follow=true until the run ends, with task_id only that task's",
    query: schemas.LogsQuery,
    answers: { 200: 'text/plain' },
    errors: [400, 404, 503],
  })
  async logs(
    @Param('id') id: string,
    @Query(new ZodPipe(schemas.LogsQuery, 'query')) query: LogsQueryData,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.runs.get(id);
    const follow = query.follow === 'true';
    const signal = streamSignal(reply, this.streams);
    const chunks = this.runs.logs({ runId: id, taskId: query.task_id ?? '', follow, afterCursor: '' }, signal);
    const text = query.task_id === undefined ? labelledLogText(chunks) : rawLogText(chunks);
    // Without follow the first chunk comes at once: wait for it, so that a failure still gets its status.
    sendText(reply, 'text/plain; charset=utf-8', follow ? text : ((await peek(text)) ?? empty()));
  }

  @Get(':id/tasks/:task/log')
  @describeRoute({
    summary: 'All that an attempt of a task wrote to one stream (stderr and the latest unless named), as far as it was kept',
    query: schemas.TaskLogQuery,
    answers: { 200: 'text/plain' },
    errors: [400, 404, 503],
  })
  async taskLog(
    @Param('id') id: string,
    @Param('task') task: string,
    @Query(new ZodPipe(schemas.TaskLogQuery, 'query')) query: TaskLogQueryData,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const signal = streamSignal(reply, this.streams);
    const stream = query.stream === 'stdout' ? run.LogStream.STDOUT : run.LogStream.STDERR;
    const parts = this.runs.taskLog({ runId: id, taskId: task, attempt: Number(query.attempt ?? 0), stream }, signal);
    // The first part tells whether there is one: a failure still gets its status.
    sendBytes(reply, (await peek(bytesOf(parts))) ?? empty());
  }
}

async function* empty(): AsyncGenerator<never, void> {}

async function* bytesOf(parts: AsyncIterable<run.LogData | run.ObjectData>): AsyncGenerator<Uint8Array, void> {
  for await (const { data } of parts) yield data;
}

/** The same sequence once its first item is there; undefined where it has none. */
async function peek<T>(source: AsyncIterable<T>): Promise<AsyncIterable<T> | undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return undefined;
  return (async function* () {
    yield first.value;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  })();
}

function noOutputs(found: run.Run): ServiceError {
  const word = runStatusWord(found.status);
  const why = found.failure ? `: ${found.failure.message}` : '';
  const hint = word === 'failed' || word === 'cancelled' ? 'it has no outputs' : 'its outputs exist once it has succeeded';
  return new ServiceError('FAILED_PRECONDITION', `run '${found.runId}' is ${word}${why}; ${hint}`);
}

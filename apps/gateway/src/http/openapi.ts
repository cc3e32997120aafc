/**
 * The OpenAPI description of a route, made of the zod schemas that the route validates and answers with.
 */
import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiHeader, ApiOperation, ApiProduces, ApiQuery, ApiResponse, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { ErrorView } from '../runs/runs.schemas.js';
import type { RouteRules } from './route-rules.js';

type OpenApiSchema = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string];

const JSON_ANSWER = 'application/json';

/** A JSON answer by its schema, a stream by its media type, nothing by null. */
type Answer = z.ZodType | `${'text' | 'application'}/${string}` | null;

export interface RouteDescription {
  summary: string;
  body?: z.ZodType;
  query?: z.ZodObject;
  headers?: Record<string, string>;
  answers: Record<number, Answer>;
  errors: number[];
  /** Parameters that it does not know are passed over: clients of its dialect, and probes, send more than it documents. */
  anyQuery?: boolean;
}

const ERROR_MEANING: Record<number, string> = {
  400: 'The request is wrong; the message names the field, diagnostics the line',
  401: 'An API token is missing or wrong',
  403: 'Not allowed',
  404: 'No such thing',
  405: 'The path does not take this method; Allow says which it takes',
  406: 'The call answers with no type that Accept takes',
  408: 'The request did not come to its end in time',
  409: 'Not in this state, or an idempotency key that was used for something else',
  413: 'The body is larger than 16 MiB, as it was sent or unpacked',
  415: 'The body is not JSON in UTF-8, or packed in a way that is not read',
  429: 'Too much at once; try again later',
  501: 'The document needs a feature that is not supported',
  503: 'A service behind the gateway cannot be reached',
};

export function describeRoute(route: RouteDescription): MethodDecorator {
  const decorators = [ApiOperation({ summary: route.summary }), ...Object.entries(route.answers).map(answerDecorator)];
  const rules = rulesOf(route);
  decorators.push(RouteConfig({ weft: rules }));
  for (const status of [...new Set([...commonErrors(rules), ...route.errors])].sort()) {
    const description = ERROR_MEANING[status] ?? 'Error';
    decorators.push(ApiResponse({ status, description, content: { 'application/json': { schema: openApiSchema(ErrorView) } } }));
  }
  if (route.body) decorators.push(ApiBody({ schema: openApiSchema(route.body), required: !route.body.safeParse(undefined).success }));
  for (const [name, field] of Object.entries(route.query?.shape ?? {})) {
    const schema = openApiSchema(field as z.ZodType);
    decorators.push(ApiQuery({ name, required: false, schema }));
  }
  for (const [name, description] of Object.entries(route.headers ?? {})) decorators.push(ApiHeader({ name, description, required: false }));
  return applyDecorators(...decorators);
}

function rulesOf({ answers, query, body, anyQuery }: RouteDescription): RouteRules {
  const produces = Object.values(answers).flatMap((answer) =>
    answer === null ? [] : typeof answer === 'string' ? [answer] : [JSON_ANSWER],
  );
  return { produces: [...new Set(produces)], ownQuery: query !== undefined || anyQuery === true, takesBody: body !== undefined };
}

/** What any call may be answered with, by what it is. */
function commonErrors({ produces, takesBody, ownQuery }: RouteRules): number[] {
  return [401, 403, ...(produces.length > 0 ? [406] : []), ...(takesBody ? [400, 408, 413, 415] : []), ...(ownQuery ? [] : [400])];
}

function answerDecorator([status, answer]: [string, Answer]): MethodDecorator {
  const code = Number(status);
  if (answer === null) return ApiResponse({ status: code, description: 'No content' });
  if (typeof answer !== 'string') {
    const schema = openApiSchema(answer);
    return ApiResponse({ status: code, description: answer.description ?? 'OK', content: { 'application/json': { schema } } });
  }
  const content = { [answer]: { schema: { type: 'string' as const } } };
  return applyDecorators(ApiProduces(answer), ApiResponse({ status: code, description: answer, content }));
}

function openApiSchema(schema: z.ZodType): OpenApiSchema {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' });
  return json as OpenApiSchema;
}

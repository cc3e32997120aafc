/**
 * What holds for every route by what it says of itself (`describeRoute`): which types it answers with, which parameters it knows, whether it
 * takes a body.
 *
 * Invariants: a route that describes itself is held to it without a line of its own; one that does not (pages) is left alone.
 */
import Negotiator from 'negotiator';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ServiceError } from '@weft/platform';
import { RequestProblem } from './problem.js';
import type { RouteTable } from './route-table.js';
import { parseRequest } from './validation.js';

/** Travels with the route, as its configuration in Fastify. */
export interface RouteRules {
  /** Media types of its answers; none: its answers have no body. */
  produces: string[];
  /** It looks at its parameters itself, or takes any. */
  ownQuery: boolean;
  takesBody: boolean;
}

const NO_PARAMETERS = z.strictObject({});

export function holdRoutes(server: FastifyInstance, table: RouteTable): void {
  server.addHook('onRequest', async (request, reply) => {
    if (request.method === 'OPTIONS') return answerOptions(request, table, (allow) => reply.header('allow', allow).code(204).send());
    const rules = rulesOf(request);
    if (rules) refuseUnacceptable(request, rules);
    return undefined;
  });
  server.addHook('preValidation', async (request) => {
    const rules = rulesOf(request);
    if (rules === undefined) return;
    if (!rules.ownQuery) parseRequest(NO_PARAMETERS, request.query, 'query');
    if (!rules.takesBody && saysSomething(request.body)) throw new ServiceError('INVALID_ARGUMENT', 'this call takes no body');
  });
}

/** `{}` is what many clients send with every POST. */
function saysSomething(body: unknown): boolean {
  return body !== undefined && body !== null && !(typeof body === 'object' && !Array.isArray(body) && Object.keys(body).length === 0);
}

function answerOptions(request: FastifyRequest, table: RouteTable, answer: (allow: string) => unknown): unknown {
  const allowed = table.methodsAt(pathOf(request.url));
  return allowed.length === 0 ? undefined : answer(allowed.join(', '));
}

function rulesOf({ routeOptions }: FastifyRequest): RouteRules | undefined {
  const { weft } = (routeOptions.config ?? {}) as { weft?: RouteRules };
  return weft;
}

function refuseUnacceptable({ headers }: FastifyRequest, { produces }: RouteRules): void {
  if (headers.accept === undefined || headers.accept.trim() === '' || produces.length === 0) return;
  if (new Negotiator({ headers }).mediaTypes(produces).length > 0) return;
  throw new RequestProblem(
    406,
    'NOT_ACCEPTABLE',
    `this call answers with ${produces.join(' or ')}, and Accept: ${headers.accept.slice(0, 200)} takes none of it`,
  );
}

export const pathOf = (url: string): string => url.split('?')[0] ?? url;

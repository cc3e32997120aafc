/**
 * DAL templates: a `dal_workflow_type` of the DVRE dialect → a command of the AL coordinator.
 *
 * Invariants: the coordinator says which templates there are; a type it does not have is refused with the names it has.
 */
import { writeJson } from '@weft/plan';
import type { al } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { smallObject } from '../http/body/json-part.js';
import type { AlGateway } from '../clients/al.client.js';
import type { Caller } from './caller.js';
import type { SubmitProjectWorkflowBodyData } from './streamflow.schemas.js';

/** Workflow types that this dialect documents and the coordinator knows as a command: train on what is labelled, then query. */
const COMMAND_OF_TYPE: Readonly<Record<string, string>> = { train_query: 'start_querying' };

export class DalTemplates {
  constructor(private readonly al: AlGateway) {}

  list(): Promise<al.Template[]> {
    return this.al.templates().then((answer) => answer.templates);
  }

  /** Runs the template; answers with the id of its run. */
  async run(body: SubmitProjectWorkflowBodyData, caller: Caller, idempotencyKey: string): Promise<string> {
    if (body.cwl_workflow !== undefined || body.cwl_content !== undefined) {
      throw new ServiceError('INVALID_ARGUMENT', 'give use_dal_template or a workflow (cwl_workflow, cwl_content), not both');
    }
    const parameters = { ...alConfig(body), ...smallObject(body.inputs ?? {}, 'inputs') };
    const { command } = await this.al.command({
      projectId: body.project_id,
      command: commandFor(body.dal_workflow_type, await this.list()),
      parametersJson: writeJson(parameters),
      sessionId: typeof parameters['session_id'] === 'string' ? parameters['session_id'] : '',
      contractAddress: body.contract_address ?? '',
      transactionHash: body.transaction_hash ?? '',
      authorizedBy: caller.wallet,
      userRole: caller.role,
      idempotencyKey,
      awaitRun: true,
      awaitEnd: false,
    });
    if (!command?.runId) {
      const message = command?.message || 'the command started no workflow';
      throw new ServiceError('FAILED_PRECONDITION', `${body.dal_workflow_type}: ${message}`);
    }
    return command.runId;
  }
}

/** The parameters of `metadata.al_config`. @throws ServiceError INVALID_ARGUMENT where it is no object. */
function alConfig(body: SubmitProjectWorkflowBodyData): Record<string, unknown> {
  const config = body.metadata?.['al_config'] ?? {};
  if (typeof config !== 'object' || Array.isArray(config))
    throw new ServiceError('INVALID_ARGUMENT', "'metadata.al_config': expected an object");
  return { ...config };
}

/**
 * The command behind a workflow type: a command's own name, a template's name (its first command), or a documented type.
 * @throws ServiceError INVALID_ARGUMENT naming the templates there are.
 */
function commandFor(type: string | undefined, templates: al.Template[]): string {
  const wanted = words(type ?? '');
  const commands = templates.flatMap((template) => template.commands);
  const named = templates.find((template) => words(template.name) === wanted)?.commands[0];
  const command =
    commands.find((candidate) => candidate === wanted) ?? named ?? commands.find((candidate) => candidate === COMMAND_OF_TYPE[wanted]);
  if (command !== undefined) return command;
  const what = type === undefined ? "'dal_workflow_type' is needed with use_dal_template" : `no DAL template '${type}'`;
  const known = templates.map(({ name, commands: its }) => `${name} (${its.join(', ')})`);
  throw new ServiceError('INVALID_ARGUMENT', `${what}; available: ${known.join('; ') || 'none'}`);
}

const words = (name: string): string => name.toLowerCase().replace(/-/g, '_');

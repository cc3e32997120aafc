/** The outputs that a run has, brought where the user wants them; where that fails, what it takes to have them is said. */
import type { CwlObject } from '@weft/plan';
import { CommandError } from '../errors.js';
import { shownLine } from '../shown-text.js';
import { deliver } from './deliver.js';
import { DeliveryError } from './delivery-error.js';
import type { FileOps } from './folder.js';
import { Interrupted, interruptible } from './interruption.js';
import type { OutputFolder } from './outdir.js';
import { Unanswered, whileAnswered } from './unanswered.js';

export interface Place {
  outdir: OutputFolder;
  inputs: CwlObject;
  /** URIs of the document and the job: not replaced by an output of their name. */
  alsoInputs?: readonly string[];
  /** A file that the output object goes to; absent: stdout. */
  summary?: string;
}

const tell = (line: string): void => void process.stderr.write(`weft: ${line}\n`);

/** @param ended 'failed': these are what succeeded in it */
export async function bringOutputs(
  runId: string,
  outputs: CwlObject,
  place: Place,
  ops?: FileOps,
  ended: 'succeeded' | 'failed' = 'succeeded',
): Promise<CwlObject> {
  const { outdir, inputs, alsoInputs = [] } = place;
  try {
    return await interruptible((signal) =>
      whileAnswered(outdir.path, tell, deliver({ outputs, inputs, alsoInputs, folder: outdir, signal, tell, ops })),
    );
  } catch (error) {
    const shown = shownLine(outdir.path);
    if (error instanceof Interrupted)
      throw new CommandError(
        `${error.message} before the outputs of run ${runId} were in ${shown}: ${again(runId, shown)}`,
        error.exitCode,
      );
    if (error instanceof Unanswered)
      throw new Unanswered(
        `run ${runId} ${ended}${ended === 'failed' ? ', and' : ', but'} ${error.message}; ${again(runId, '<another folder>')}`,
      );
    if (!(error instanceof DeliveryError)) throw error;
    const why = `run ${runId} ${ended}${ended === 'failed' ? ', and' : ', but'} its outputs could not be put into ${shown}: ${error.message}`;
    throw new DeliveryError(`${why}\nNothing of them was left there; ${again(runId, '<another folder>')}`);
  }
}

function again(runId: string, where: string): string {
  return `\`weft attach ${runId} --outdir ${where}\` brings them`;
}

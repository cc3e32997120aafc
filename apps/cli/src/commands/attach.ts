/** `weft attach`: follows a run that was begun elsewhere and brings its outputs here, as `weft run` would have. A signal leaves; the run goes on. */
import { findRun } from '../client/find-run.js';
import { inputsOf } from '../client/run-objects.js';
import { conclude, followWhileUp } from '../follow-to-end.js';
import { EXIT_OF_SIGNAL, type EndingSignal, takeSignals } from '../interrupts.js';
import { lookAtOutdir } from '../outputs/outdir.js';
import { reporterFor } from '../progress/reporter-for.js';
import { comeBack } from '../run-left.js';
import { withConnection } from './with-runs.js';

export interface AttachOptions {
  outdir: string;
  quiet?: boolean;
  json?: boolean;
  gateway?: string;
}

export async function attachCommand(named: string, options: AttachOptions): Promise<void> {
  const outdir = await lookAtOutdir(options.outdir);
  await withConnection({ gateway: options.gateway, runId: named }, async (connected) => {
    const runId = await findRun(connected.runs, named);
    const run = await connected.runs.get(runId);
    takeSignals((signal) => leave(signal, runId));
    const reporter = reporterFor(options);
    reporter.submitted(runId, run.name, true);
    const place = { outdir, inputs: await inputsOf(connected.runs, run) };
    await conclude(await followWhileUp(connected, run, place, reporter), place);
  });
}

function leave(signal: EndingSignal, runId: string): void {
  process.stderr.write(`weft: left run ${runId}; ${comeBack(runId)}\n`);
  process.exit(EXIT_OF_SIGNAL[signal]);
}

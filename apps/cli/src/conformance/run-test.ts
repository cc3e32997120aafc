/**
 * One conformance test through the whole stack: the same way as `weft run`, and then the outputs compared with what is expected and
 * the files on disk with what the output object says of them.
 */
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CwlObject, type FileValue, isFile, visitFiles, writeJson } from '@weft/plan';
import { isServiceError } from '@weft/platform/client';
import type { RunsClient } from '../client/runs-client.js';
import { Refused, prepare } from '../document/prepare.js';
import { CommandError, EXIT_UNSUPPORTED } from '../errors.js';
import { callerOf, worldOfThisProcess } from '../caller.js';
import { NO_OPTIONS, type Outcome, describeFailure, follow, submitPrepared } from '../execute.js';
import type { Place } from '../outputs/bring.js';
import { DeliveryError } from '../outputs/delivery-error.js';
import { lookAtOutdir } from '../outputs/outdir.js';
import { silent } from '../progress/reporter.js';
import { makeTemporaryFolder } from '../temporary-folder.js';
import { mismatch } from './compare.js';
import type { ConformanceTest } from './suite.js';

export interface TestResult {
  id: string;
  tags: string[];
  passed: boolean;
  /** Why it did not pass. */
  reason?: string;
  /** An optional feature that is not supported, and said so. */
  unsupported: boolean;
  /** Machine-readable reason of the run's failure, and the same in words. */
  failureCode?: string;
  failureMessage?: string;
  /** Why it could not be judged on this machine; it was not run. */
  apart?: string;
  ms: number;
}

/** What a test came to, before it is compared with what was wanted. */
export type Ended =
  { kind: 'outputs'; outputs: CwlObject } | { kind: 'failed'; message: string; code: string; unsupported: boolean; proper: boolean };

/** The failure code that each test that should fail must end with, by test id. */
export type FailureCodes = Readonly<Record<string, string>>;

export interface TestRun {
  folder: string;
  timeoutS: number;
  /** Absent: any reason that is the document's own will do. */
  failureCodes?: FailureCodes;
}

export async function runTest(runs: RunsClient, test: ConformanceTest, { folder, timeoutS, failureCodes }: TestRun): Promise<TestResult> {
  const started = Date.now();
  const outdir = makeTemporaryFolder('weft-conformance-');
  try {
    const ended = await runToEnd(runs, folder, test, outdir, timeoutS);
    const reason = await judge(test, ended, failureCodes);
    const failed = ended.kind === 'failed' ? { failureCode: ended.code, failureMessage: ended.message } : {};
    const unsupported = ended.kind === 'failed' && ended.unsupported;
    return { id: test.id, tags: test.tags, passed: reason === undefined, reason, unsupported, ...failed, ms: Date.now() - started };
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}

export async function judge(test: ConformanceTest, ended: Ended, failureCodes?: FailureCodes): Promise<string | undefined> {
  if (test.should_fail) {
    if (ended.kind === 'outputs') return `should have failed, but gave ${writeJson(ended.outputs).slice(0, 300)}`;
    if (!ended.proper) return `should have been refused, but broke: ${ended.message}`;
    if (!failureCodes) return undefined;
    const wanted = failureCodes[test.id];
    if (wanted === undefined) return `no failure code is named for it; it ended with ${ended.code}: ${ended.message}`;
    return wanted === ended.code ? undefined : `should have failed with ${wanted}, but failed with ${ended.code}: ${ended.message}`;
  }
  if (ended.kind === 'failed') return ended.message;
  return mismatch(test.output ?? {}, ended.outputs) ?? (await wrongFile(ended.outputs));
}

async function runToEnd(runs: RunsClient, folder: string, test: ConformanceTest, outdir: string, timeoutS: number): Promise<Ended> {
  try {
    const place = await lookAtOutdir(outdir);
    const prepared = await prepare(join(folder, test.tool), test.job === undefined ? [] : [join(folder, test.job)]);
    const options = { ...NO_OPTIONS, name: test.id, labels: { conformance: test.id }, caller: callerOf(worldOfThisProcess()) };
    const submitted = await submitPrepared(runs, prepared, options);
    return endedBy(await within(runs, submitted.run.runId, { outdir: place, inputs: prepared.inputs }, timeoutS));
  } catch (error) {
    return thrown(error, timeoutS);
  }
}

async function within(runs: RunsClient, runId: string, place: Place, timeoutS: number): Promise<Outcome> {
  const timeout = AbortSignal.timeout(timeoutS * 1000);
  try {
    return await follow(runs, runId, place, silent, timeout);
  } catch (error) {
    if (timeout.aborted) await runs.cancel(runId, 'the conformance test took too long');
    throw timeout.aborted ? new TimedOut() : error;
  }
}

class TimedOut extends Error {}

function endedBy(outcome: Outcome): Ended {
  if (outcome.status === 'succeeded') return { kind: 'outputs', outputs: outcome.outputs };
  const { failure } = outcome;
  if (outcome.status === 'cancelled' || failure === undefined) return broken(`run ${outcome.runId} was cancelled`);
  const message = describeFailure(failure);
  return { kind: 'failed', message, code: failure.code, unsupported: failure.code === 'UNSUPPORTED', proper: failure.code !== 'INTERNAL' };
}

function thrown(error: unknown, timeoutS: number): Ended {
  if (error instanceof TimedOut) return broken(`did not end within ${timeoutS} s`);
  // The run was as it should be: a fault of ours or of this machine.
  if (error instanceof DeliveryError) return broken(error.message);
  if (error instanceof Refused || error instanceof CommandError) {
    return { kind: 'failed', message: error.message, code: 'REFUSED', unsupported: error.exitCode === EXIT_UNSUPPORTED, proper: true };
  }
  if (isServiceError(error)) {
    const proper = ['INVALID_ARGUMENT', 'UNIMPLEMENTED', 'FAILED_PRECONDITION'].includes(error.code);
    return {
      kind: 'failed',
      message: `${error.code}: ${error.message}`,
      code: error.code,
      unsupported: error.code === 'UNIMPLEMENTED',
      proper,
    };
  }
  return broken(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

function broken(message: string): Ended {
  return { kind: 'failed', message, code: 'INTERNAL', unsupported: false, proper: false };
}

/** A file that is not what the output object says of it. */
async function wrongFile(outputs: CwlObject): Promise<string | undefined> {
  const files: FileValue[] = [];
  visitFiles(outputs, (entry) => void (isFile(entry) && files.push(entry)));
  for (const { path, size, checksum } of files) {
    if (path === undefined) continue;
    const bytes = await readFile(path);
    const actual = `sha1$${createHash('sha1').update(bytes).digest('hex')}`;
    if (size !== bytes.length) return `${path} has ${bytes.length} bytes, the output object says ${size}`;
    if (checksum !== actual) return `${path} has checksum ${actual}, the output object says ${checksum}`;
  }
  return undefined;
}

/** Suites that need hosts of their own: skipped, loudly, where this machine cannot have them (with CI=true a skip is a failure). */
import { networkUnavailable } from './network.js';

const unavailable = networkUnavailable();
if (unavailable !== undefined) process.stderr.write(`SKIPPED tests with several hosts: ${unavailable}\n`);

export const describeWithNetwork = unavailable === undefined ? describe : describe.skip;

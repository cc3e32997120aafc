/** The store that unit tests use keeps the same contract as the real one. */
import { MemorySessionStore } from '../testing/memory-session-store.js';
import { sessionStoreContract } from '../testing/session-store.contract.js';

describe('MemorySessionStore', () => sessionStoreContract(() => new MemorySessionStore()));

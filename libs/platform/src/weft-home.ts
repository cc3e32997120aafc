/** Where weft keeps its things. The user's home is looked at only where WEFT_HOME does not say: not every uid has one. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config.js';

/** @throws ConfigError where there is neither */
export function weftHome(env: NodeJS.ProcessEnv = process.env, homeOfUser: () => string = homedir): string {
  if (env['WEFT_HOME']) return env['WEFT_HOME'];
  try {
    return join(homeOfUser(), '.weft');
  } catch {
    const message = `HOME is not set and uid ${process.getuid?.() ?? '?'} is not in the password file: name a directory of your own`;
    throw new ConfigError([{ variable: 'WEFT_HOME', message }]);
  }
}

/** `weft down`: stops the stack of this WEFT_HOME, kept or embedded, and returns when everything has ended. */
import { homeOf } from '../home.js';
import { connectToStack } from '../stack/connect.js';

export async function downCommand(): Promise<void> {
  const stack = await connectToStack(homeOf());
  if (stack === undefined) {
    process.stderr.write('weft: no stack is running\n');
    return;
  }
  stack.send({ type: 'stop' });
  await stack.closed();
  process.stderr.write('weft: stopped\n');
}

/** What errors of others mean for whoever asked. */
import { toServiceError } from './service-error.js';

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

it.each(['MISCONF', 'EXECABORT', 'OOM', 'LOADING', 'READONLY', 'NOREPLICAS', 'CLUSTERDOWN', 'MASTERDOWN', 'TRYAGAIN'])(
  'a Redis that answers %s is to be asked again, with what it says',
  (word) => {
    expect(toServiceError(reply(`${word} it is so`))).toMatchObject({
      code: 'UNAVAILABLE',
      message: `Redis takes nothing at present (${word}); try again. It says: ${word} it is so`,
    });
  },
);

it('what is wrong with a command, and what only speaks like Redis, is our fault', () => {
  for (const error of [reply('WRONGTYPE it is a string'), new Error('MISCONF it is so')])
    expect(toServiceError(error)).toMatchObject({ code: 'INTERNAL', message: error.message });
});

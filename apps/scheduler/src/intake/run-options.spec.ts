import { scheduler } from '@weft/contracts';
import { type OptionRules, runOptionsOf } from './run-options.js';

const rules = (callCache: OptionRules['callCache']): OptionRules => ({ defaultAttempts: 3, takesCaller: false, callCache });
const BARE = { noContainer: false, maxAttempts: 3 };

describe('whether results of earlier tasks are used', () => {
  it.each<[string, OptionRules['callCache'], Partial<scheduler.RunOptions>, object]>([
    ['not where nobody says anything', 'asked', {}, {}],
    ['where the run asks', 'asked', { cache: true }, { cache: true }],
    ['never, and what is known is replaced, where the run says so', 'asked', { noCache: true }, { noCache: true }],
    ['by every run of a service that is set up so', 'on', {}, { cache: true }],
    ['not by one that says so there', 'on', { noCache: true }, { noCache: true }],
    ['not where there are none', 'off', {}, {}],
  ])('%s', (_name, callCache, asked, expected) => {
    expect(runOptionsOf(scheduler.RunOptions.fromPartial(asked), rules(callCache))).toEqual({ ...BARE, ...expected });
  });

  it('is decided for a submission without options as well', () => {
    expect(runOptionsOf(undefined, rules('on'))).toEqual({ ...BARE, cache: true });
    expect(runOptionsOf(undefined, rules('asked'))).toEqual(BARE);
  });

  it('is refused where it cannot be, or says two things', () => {
    const submit = (callCache: OptionRules['callCache'], asked: Partial<scheduler.RunOptions>) => () =>
      runOptionsOf(scheduler.RunOptions.fromPartial(asked), rules(callCache));
    expect(submit('off', { cache: true })).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
    expect(submit('on', { cache: true, noCache: true })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

it('the container for tools that name none is an image by its name', () => {
  const asked = (defaultContainer: string) => runOptionsOf(scheduler.RunOptions.fromPartial({ defaultContainer }), rules('asked'));
  expect(asked('debian:12')).toEqual({ ...BARE, defaultContainer: 'debian:12' });
  const message = "options.default_container does not name an image: '..' is no registry: host or host:port";
  expect(() => asked('../127.0.0.1:80/x')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }));
});

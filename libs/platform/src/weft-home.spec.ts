import { weftHome } from './weft-home.js';

const nobody = (): string => {
  throw new Error('ENOENT: no such file or directory, uv_os_homedir');
};

it('is what WEFT_HOME names, whoever the user is', () => {
  expect(weftHome({ WEFT_HOME: '/w' }, nobody)).toBe('/w');
});

it('lies in the user’s home else', () => {
  expect(weftHome({}, () => '/home/me')).toBe('/home/me/.weft');
  expect(weftHome({ WEFT_HOME: '' }, () => '/home/me')).toBe('/home/me/.weft');
});

it('is asked for where the user has none', () => {
  expect(() => weftHome({}, nobody)).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/WEFT_HOME: HOME is not set and uid \d+ is not in the password file/) }),
  );
});

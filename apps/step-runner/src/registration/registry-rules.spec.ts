import { registryCheck } from './registry-rules.js';

const check = registryCheck({ allowPrivate: false });

describe('registries', () => {
  it.each([undefined, 'docker.io', '8.8.8.8', '8.8.8.8:5000', '[2606:4700::1]:443'])('%s is taken', (registry) =>
    expect(check(registry)).resolves.toBeUndefined(),
  );

  it.each([
    ...[
      '127.0.0.1:5000',
      '127.1:80',
      '0x7f.1:80',
      '2130706433:80',
      'localhost',
      'localhost:5000',
      '10.0.0.1',
      '192.168.1.1:80',
      '169.254.169.254',
    ],
    ...['172.17.0.1:2375', '100.64.0.1', '0.0.0.0:80', '[::1]:5000', '[::ffff:127.0.0.1]', '[fe80::1]', '[fd00::1]:80'],
  ])('%s is not: its address is not public', (registry) =>
    expect(check(registry)).rejects.toMatchObject({
      code: 'IMAGE_PULL',
      message: expect.stringContaining(`no image may be pulled from ${registry}: it is not at a public address`),
      retryable: false,
    }),
  );

  it('one without an address that can be known is not either', () =>
    expect(check('weft.invalid')).rejects.toMatchObject({
      code: 'IMAGE_PULL',
      message: expect.stringContaining('its address cannot be found out'),
    }));

  it('all are taken where private addresses are allowed', () =>
    expect(registryCheck({ allowPrivate: true })('127.0.0.1:5000')).resolves.toBeUndefined());

  it('those that the operator names, wherever they are, and no others', async () => {
    const named = registryCheck({ allowed: ['10.0.0.1:5000', 'docker.io'], allowPrivate: false });
    for (const registry of ['10.0.0.1:5000', 'docker.io', 'index.docker.io', undefined]) await named(registry);
    for (const registry of ['10.0.0.1', '10.0.0.1:5001', '8.8.8.8'])
      await expect(named(registry)).rejects.toMatchObject({
        message: `no image may be pulled from ${registry} (WEFT_REGISTRIES of the runner)`,
      });
    await expect(registryCheck({ allowed: ['r.test'], allowPrivate: true })(undefined)).rejects.toThrow('from docker.io');
  });
});

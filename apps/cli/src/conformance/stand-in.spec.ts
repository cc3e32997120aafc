import { extraHosts, firstAddress, openStandIn } from './stand-in.js';

describe('stand-ins', () => {
  it('pin every name to where it is served', async () => {
    const standIns = [await openStandIn('a.example=10.0.0.1'), await openStandIn('b.example=10.0.0.2')];
    expect(extraHosts(standIns)).toBe('a.example:10.0.0.1,b.example:10.0.0.2');
  });

  it.each(['', 'a.example='])('refuse "%s"', async (text) => {
    await expect(openStandIn(text)).rejects.toThrow('a stand-in is written host or host=ip');
  });

  it.each([
    ['172.17.0.0/16', '172.17.0.1'],
    ['10.1.2.16/28', '10.1.2.17'],
    ['fd00::/64', undefined],
  ])('the first address of %s is %s', (subnet, address) => expect(firstAddress(subnet)).toBe(address));
});

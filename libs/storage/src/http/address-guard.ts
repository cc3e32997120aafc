/**
 * Which addresses an http: input may lie at. A name is resolved once and the connection goes to the address that was checked, so that
 * a name cannot mean one address when it is checked and another when it is used.
 */
import { lookup as lookUp } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** IANA's special-purpose registries: loopback, private, link-local, shared, multicast, documentation and the like. */
const REFUSED_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Global unicast is 2000::/3; what is inside it and still not public is named. */
const REFUSED_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const refused = new BlockList();
for (const range of REFUSED_V4) refused.addSubnet(...subnet(range), 'ipv4');
for (const range of REFUSED_V6) refused.addSubnet(...subnet(range), 'ipv6');
const unicast = new BlockList();
unicast.addSubnet('2000::', 3, 'ipv6');

function subnet(range: string): [string, number] {
  const [net = '', prefix = ''] = range.split('/');
  return [net, Number(prefix)];
}

/** Whether an address is one of the public Internet. Text that is no address is not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused.check(address, 'ipv4');
  // IPv4 in IPv6 (::ffff:10.0.0.1, 64:ff9b::10.0.0.1) is no global unicast.
  return family === 6 && unicast.check(address, 'ipv6') && !refused.check(address, 'ipv6');
}

/** Of a URL's host: IPv6 addresses stand in brackets there. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Fails with code EPRIVATE where any of a name's addresses is not public. An address instead of a name does not come here. */
export const lookupPublic: LookupFunction = (hostname, options, done) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, '', 0);
    const hidden = addresses.find(({ address }) => !isPublicAddress(address));
    if (hidden !== undefined) return done(privateAddress(hostname, hidden.address), '', 0);
    if (options.all === true) return done(null, addresses);
    const [first] = addresses;
    if (first === undefined) return done(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), '', 0);
    done(null, first.address, first.family);
  });
};

/** @param host name or address, as it stands in a URL. Rejects with code EPRIVATE where any of its addresses is not public, or as `lookup` does. */
export function refusePrivateHost(host: string): Promise<void> {
  const bare = bareHost(host);
  if (isIP(bare) !== 0) return isPublicAddress(bare) ? Promise.resolve() : Promise.reject(privateAddress(bare, bare));
  return new Promise((resolve, reject) => lookupPublic(bare, {}, (error) => (error === null ? resolve() : reject(error))));
}

/** One that is checked, for a proxy. Where this machine does not know the name nobody can say what the proxy would reach. */
export function publicAddressOf(hostname: string): Promise<string> {
  return new Promise((resolve, reject) => {
    lookupPublic(hostname, {}, (error, address) => {
      if (error === null) resolve(String(address));
      else if (error.code === 'EPRIVATE') reject(error);
      else
        reject(new Error(`${error.message}; a proxy is asked only for addresses that were checked, unless WEFT_ALLOW_PRIVATE_HTTP is 1`));
    });
  });
}

export function privateAddress(hostname: string, address: string): NodeJS.ErrnoException {
  const where = hostname === address ? address : `${hostname} (${address})`;
  return Object.assign(new Error(`${where} is not a public address`), { code: 'EPRIVATE' });
}

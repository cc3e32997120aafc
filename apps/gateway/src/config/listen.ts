/** Listen addresses of the gateway: `host:port` or `[v6]:port` (clients come over TCP; port 0 takes any free one). */
import { ConfigError } from '@weft/platform';

export interface ListenAddress {
  host: string;
  port: number;
  /** As configured. */
  text: string;
}

/** @throws ConfigError naming `variable` where the text is not an address. */
export function parseListen(variable: string, text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (!host || port > 65_535) throw new ConfigError([{ variable, message: `'${text}' is not host:port or [v6]:port` }]);
  return { host, port, text };
}

/** `host:port` of an address that was bound, in the form it was configured in. */
export function boundAddress(listen: ListenAddress, port: number): string {
  return listen.host.includes(':') ? `[${listen.host}]:${port}` : `${listen.host}:${port}`;
}

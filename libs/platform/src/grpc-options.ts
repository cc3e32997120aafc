/** Channel options shared by servers and clients. */
import type { ChannelOptions } from '@grpc/grpc-js';

/** Bytes of one message, both ways. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

export const commonOptions: ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  // A watcher of a six-hour task must notice that the other host vanished without a FIN.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

export const clientOptions: ChannelOptions = {
  ...commonOptions,
  // Services talk to each other directly, whatever proxy the environment names for the internet.
  'grpc.enable_http_proxy': 0,
  // Nobody asks for these statistics, and every call would be counted. (A server knows its sessions by them, and cannot be closed without.)
  'grpc.enable_channelz': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 3_000,
};

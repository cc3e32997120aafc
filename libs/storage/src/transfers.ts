/** Bytes that went over a network, as storages report them. */
export type OnTransfer = (direction: 'downloaded' | 'uploaded', scheme: 's3' | 'http', bytes: number) => void;

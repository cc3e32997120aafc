/** Options that several commands have, and what they take. */
import { InvalidArgumentError, Option } from 'commander';

export const gatewayOption = (): Option =>
  new Option('--gateway <address>', 'gRPC address of a gateway to use instead of the local stack').env('WEFT_URL');

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

export function commaList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

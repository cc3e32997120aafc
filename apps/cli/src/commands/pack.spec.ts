import { pathToFileURL } from 'node:url';
import { relativeTo } from './pack.js';

describe('files of a packed document', () => {
  const base = pathToFileURL('/work/flows').href;
  it.each([
    [`${base}/data/x.txt`, 'data/x.txt'],
    ['file:///elsewhere/x.txt', 'file:///elsewhere/x.txt'],
    ['https://host/x.txt', 'https://host/x.txt'],
  ])('%s is %s', (location, name) => expect(relativeTo('/work/flows/packed.cwl')(location)).toBe(name));
});

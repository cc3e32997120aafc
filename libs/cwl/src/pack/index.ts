export { packDocument, versionsIn, type PackOptions, type PackResult } from './pack.js';
export { textOfDataUri } from './data-uri.js';

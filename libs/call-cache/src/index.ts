export type { KeptFolder, KeptFolderIndex, Lookup, News, ResultStore, RetiredFolders, StoredFile, StoredResult } from './ports.js';

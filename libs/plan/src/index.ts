export * from './values.js';
export * from './types.js';
export * from './requirements.js';
export { canonicalJson } from './canonical.js';
export { exactInteger, isLong, jsonOf, markedJson, mayHoldLong, readForeignJson, readJson, unmarked, writeJson } from './json.js';
export { isLongJson, type JsonLimits } from './json-size.js';
export { heapBytes } from './heap-size.js';
export { type ImageName, imageNameProblem, isImageId, parseImageName } from './image-reference.js';
export { pushTo } from './lists.js';
export { MEMORY_SIZE_SAYS, memorySize } from './memory-size.js';
export { nameProblem, pathProblem } from './plain-names.js';
export {
  belowUri,
  canonicalUri,
  type CanonicalUri,
  encodeUriPath,
  lastNameOf,
  nameInUri,
  pathOfFileUri,
  schemeOfUri,
  withoutEndSlashes,
} from './locations.js';
export { detachChangedListings, isSameFile, settleEntries, twinsWithoutListing } from './entries.js';

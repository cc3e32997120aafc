export * from './values.js';
export * from './types.js';
export * from './requirements.js';
export { canonicalJson } from './canonical.js';
export { type ImageName, imageNameProblem, isImageId, parseImageName } from './image-reference.js';

/**
 * How much one document or job may ask for. Each limit is told in one sentence; none is met by what people write by hand.
 * What is refused here is refused before the work is done that it protects from.
 */

/** Maps, lists, scalars of one file, with everything written out that aliases and imports share. */
export const MAX_NODES = 1_000_000;

/** Nesting above this is refused: no author writes it, and recursive readers must not overflow. */
export const MAX_DEPTH = 200;

/** Words and signs of one YAML text. Its reader takes microseconds for each; that of JSON a tenth of that. */
export const MAX_YAML_TOKENS = 1_000_000;

/** Characters of one YAML text: folding and joining its lines takes as long as reading many words. */
export const MAX_YAML_CHARS = 8 * 1024 * 1024;

/** Items of one `requirements` or `hints`: there are some thirty classes. */
export const MAX_REQUIREMENTS = 1_000;

/** Errors, and as many warnings, that are told of one document or job; of the others their number. */
export const MAX_TOLD = 100;

/** Characters of one message: what an author wrote is quoted in it. */
export const MAX_MESSAGE = 2_000;

/** Members of one union: each value is tried against each of them. */
export const MAX_UNION = 1_000;

export const TOO_DEEP = `the document is nested more than ${MAX_DEPTH} levels deep`;
export const TOO_MANY_NODES = `the document has more than ${MAX_NODES} values; put what is large into a file that the job names`;
export const TOO_MANY_YAML_CHARS = `this is not JSON, and YAML may have ${MAX_YAML_CHARS} characters; write it as JSON, or put what is large into a file`;
export const TOO_MANY_TOKENS = `the YAML has more than ${MAX_YAML_TOKENS} words and signs; write it as JSON, or put what is large into a file`;

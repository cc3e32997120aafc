/**
 * Query strategies that the templates know, and the names by which projects ask for them.
 */
export const STRATEGIES = ['least_confidence', 'margin', 'entropy', 'kmeans', 'random'] as const;
export type Strategy = (typeof STRATEGIES)[number];

const ALIASES: Record<string, Strategy> = {
  uncertainty_sampling: 'least_confidence',
  uncertainty: 'least_confidence',
  least_confident: 'least_confidence',
  margin_sampling: 'margin',
  entropy_sampling: 'entropy',
  diversity_sampling: 'kmeans',
  random_sampling: 'random',
};

/** The strategy a name stands for; undefined where there is none. */
export function strategyOf(name: string): Strategy | undefined {
  const key = name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
  return STRATEGIES.find((strategy) => strategy === key) ?? ALIASES[key];
}

/** Every name that is understood, for messages. */
export function strategyNames(): string[] {
  return [...STRATEGIES, ...Object.keys(ALIASES)];
}

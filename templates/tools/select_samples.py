"""Step "select": which samples of the pool to ask labels for.

p are the class probabilities of one sample. Higher scores are asked first; the seed breaks ties, which forests give
many of (row order would favour one end of the data set).
Without a model the strategies that need one cannot run: the batch is then drawn at random and says so (`cold_start`).
"""
import argparse

import joblib
import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin_min

from al_common import POOL, Data, fail, read_json, write_json


def least_confidence(p):
    return 1.0 - p.max(axis=1)


def margin(p):
    """Minus (first − second): the closest race scores highest."""
    ordered = np.sort(p, axis=1)
    return ordered[:, -2] - ordered[:, -1]


def entropy(p):
    safe = np.where(p > 0, p, 1.0)
    return -(p * np.log(safe)).sum(axis=1)


UNCERTAINTY = {'least_confidence': least_confidence, 'margin': margin, 'entropy': entropy}
STRATEGIES = [*UNCERTAINTY, 'kmeans', 'random']


def pick_by_score(rows, scores, count, seed):
    order = np.lexsort((np.random.RandomState(seed).permutation(len(rows)), -scores))[:count]
    return [(int(rows[i]), float(scores[i])) for i in order]


def pick_random(rows, count, seed):
    return [(int(row), None) for row in np.random.RandomState(seed).choice(rows, size=count, replace=False)]


def pick_kmeans(features, rows, count, seed):
    """The samples nearest to the centres of `count` clusters of the pool; score: minus the distance to the centre."""
    centres = KMeans(n_clusters=count, n_init=3, random_state=seed).fit(features).cluster_centers_
    picked, chosen = [], set()
    for centre in centres:
        free = np.array([i for i in range(len(rows)) if i not in chosen])
        nearest, distance = pairwise_distances_argmin_min(centre.reshape(1, -1), features[free])
        chosen.add(int(free[nearest[0]]))
        picked.append((int(rows[free[nearest[0]]]), -float(distance[0])))
    return sorted(picked, key=lambda pair: (-pair[1], pair[0]))


def select(data, labels, model, strategy, batch_size, seed):
    """The strategy that was used and [(row, score)], at most `batch_size` of them."""
    if strategy not in STRATEGIES:
        fail(f'unknown strategy {strategy!r}; there are: {", ".join(STRATEGIES)}')
    labelled = {data.pool_row(sample_id) for sample_id in labels}
    rows = np.array([row for row in np.flatnonzero(data.split == POOL) if row not in labelled], dtype=int)
    count = min(batch_size, len(rows))
    if count == 0:
        return strategy, []
    if strategy == 'kmeans':
        return strategy, pick_kmeans(data.features[rows], rows, count, seed)
    if strategy == 'random' or model is None:
        return 'random', pick_random(rows, count, seed)
    return strategy, pick_by_score(rows, UNCERTAINTY[strategy](model.predict_proba(data.features[rows])), count, seed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', required=True)
    parser.add_argument('--labels', required=True)
    parser.add_argument('--strategy', required=True)
    parser.add_argument('--batch-size', type=int, required=True)
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--model')
    parser.add_argument('--initial-model')
    args = parser.parse_args()
    data, labels = Data.read(args.data), read_json(args.labels)
    path = args.model or args.initial_model
    used, picked = select(data, labels, joblib.load(path) if path else None, args.strategy, args.batch_size, args.seed)
    write_json(
        'query.json',
        {
            'strategy': used,
            'requested_strategy': args.strategy,
            'cold_start': used != args.strategy,
            'model': 'session' if args.model else 'initial' if args.initial_model else 'none',
            'unlabelled': int((data.split == POOL).sum()) - len(labels),
            'samples': [{'id': str(row), 'score': score} for row, score in picked],
        },
    )


if __name__ == '__main__':
    main()

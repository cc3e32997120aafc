"""Step "prepare": loads the data set, splits it, and settles which samples are labelled.

Labels come from three places, later ones win: the data set for the initial random k per class (only where no labels are given),
the data set for the samples that `--reveal` names (the simulated oracle), and the labels file (what people submitted).
"""
import argparse

import numpy as np

from al_common import POOL, Data, fail, load_dataset, read_json, split_samples, write_json


def initial_samples(data, per_class, seed):
    """Ids of `per_class` random samples of each class of the pool."""
    random = np.random.RandomState(seed)
    chosen = []
    for index, name in enumerate(data.classes):
        rows = np.flatnonzero((data.split == POOL) & (data.target == index))
        if len(rows) < per_class:
            fail(f'class {name!r} has {len(rows)} samples in the pool, {per_class} were asked for')
        chosen.extend(random.choice(rows, size=per_class, replace=False))
    return [str(row) for row in sorted(chosen)]


def settle_labels(data, given, reveal, per_class, seed):
    """Labels by sample id: revealed and initial ones from the data set, submitted ones over them."""
    initial = initial_samples(data, per_class, seed) if given is None and per_class > 0 else []
    labels = {sample_id: data.classes[data.target[data.pool_row(sample_id)]] for sample_id in [*initial, *reveal]}
    labels.update(given or {})
    return labels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--dataset', required=True)
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--test-fraction', type=float, required=True)
    parser.add_argument('--initial-per-class', type=int, default=0)
    parser.add_argument('--labels')
    parser.add_argument('--reveal', default='')
    args = parser.parse_args()
    features, target, classes = load_dataset(args.dataset)
    data = Data(features, target, split_samples(target, args.seed, args.test_fraction), classes)
    given = read_json(args.labels) if args.labels else None
    reveal = [sample_id for sample_id in args.reveal.split(',') if sample_id]
    labels = settle_labels(data, given, reveal, args.initial_per_class, args.seed)
    _, named = data.labelled(labels) if labels else (None, [])
    data.write('data.npz')
    write_json('labels.json', labels)
    write_json(
        'summary.json',
        {
            'dataset': args.dataset,
            'samples': len(target),
            'pool': int((data.split == POOL).sum()),
            'held_out': int((data.split != POOL).sum()),
            'labelled': len(labels),
            'classes_labelled': len(set(named)),
        },
    )


if __name__ == '__main__':
    main()

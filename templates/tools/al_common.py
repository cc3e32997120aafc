"""What every tool of the active-learning templates shares: the data sets, the split, and the JSON files between steps.

Invariants:
 1. Nothing here draws a random number without a seed; equal inputs give equal files.
 2. A sample's id is its row in the data set, as a decimal string; it never changes.
 3. Labels are the data set's class names as strings, in the data set's order.

These files travel inside CWL documents ($include), so they contain no dollar-parenthesis, dollar-brace or backslash.
"""
import json
import sys

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import train_test_split

DATASETS = {'digits': load_digits, 'wine': load_wine, 'breast_cancer': load_breast_cancer}
POOL, TEST = 0, 1


def fail(message):
    """Ends the tool with one line on stderr and exit code 1."""
    print(message, file=sys.stderr)
    raise SystemExit(1)


def load_dataset(name):
    """Features, class index of each sample, class names. The data ships inside scikit-learn; nothing is downloaded."""
    if name not in DATASETS:
        fail(f'unknown data set {name!r}; there are: {", ".join(sorted(DATASETS))}')
    bunch = DATASETS[name]()
    return bunch.data.astype(np.float64), bunch.target, [str(label) for label in bunch.target_names]


def split_samples(target, seed, test_fraction):
    """0 for samples of the pool, 1 for the held-out ones; stratified, fixed by the seed."""
    rows = np.arange(len(target))
    _, test = train_test_split(rows, test_size=test_fraction, random_state=seed, stratify=target)
    split = np.full(len(target), POOL, dtype=np.int8)
    split[test] = TEST
    return split


def read_json(path):
    with open(path, encoding='utf-8') as stream:
        return json.load(stream)


def write_json(path, value):
    """One line, keys sorted, so that equal values give equal files."""
    with open(path, 'w', encoding='utf-8') as stream:
        json.dump(value, stream, sort_keys=True, separators=(',', ':'))
        stream.write(chr(10))


class Data:
    """A prepared data set: `features` and `target` of every sample, `split`, and the class names."""

    def __init__(self, features, target, split, classes):
        self.features, self.target, self.split, self.classes = features, target, split, list(classes)

    @staticmethod
    def read(path):
        with np.load(path, allow_pickle=False) as file:
            return Data(file['features'], file['target'], file['split'], [str(label) for label in file['classes']])

    def write(self, path):
        np.savez(path, features=self.features, target=self.target, split=self.split, classes=np.array(self.classes))

    def pool_row(self, sample_id):
        """Row of a sample of the pool; ends the tool where the id names no such sample."""
        row = int(sample_id) if sample_id.isdecimal() else -1
        if not 0 <= row < len(self.target):
            fail(f'sample {sample_id!r} is not in the data set (0 to {len(self.target) - 1})')
        if self.split[row] != POOL:
            fail(f'sample {sample_id!r} is held out for evaluation and cannot be labelled')
        return row

    def labelled(self, labels):
        """Features and labels of the labelled samples, ordered by row."""
        rows = sorted((self.pool_row(sample_id), label) for sample_id, label in labels.items())
        unknown = sorted({label for _, label in rows} - set(self.classes))
        if unknown:
            fail(f'unknown labels {unknown}; the data set has: {", ".join(self.classes)}')
        return self.features[[row for row, _ in rows]], np.array([label for _, label in rows])

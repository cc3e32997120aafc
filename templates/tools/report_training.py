"""Step "report" of training: what the model was trained on and how well it fits that. Says nothing about unseen samples."""
import argparse
from collections import Counter

import joblib
from sklearn.metrics import accuracy_score

from al_common import Data, read_json, write_json


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', required=True)
    parser.add_argument('--labels', required=True)
    parser.add_argument('--model', required=True)
    parser.add_argument('--training', required=True)
    args = parser.parse_args()
    data, labels = Data.read(args.data), read_json(args.labels)
    features, named = data.labelled(labels)
    counts = Counter(named.tolist())
    write_json(
        'report.json',
        {
            **read_json(args.training),
            'labelled': len(named),
            'labelled_per_class': {name: counts[name] for name in data.classes},
            'training_accuracy': float(accuracy_score(named, joblib.load(args.model).predict(features))),
        },
    )


if __name__ == '__main__':
    main()

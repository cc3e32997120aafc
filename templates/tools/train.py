"""Step "train": fits a classifier on the labelled samples and writes it with joblib."""
import argparse
import json

import joblib
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from al_common import Data, fail, read_json, write_json

# Hyperparameters that each classifier takes; the others are listed as unused, because projects send one set for any model.
TAKES = {
    'RandomForestClassifier': {'n_estimators', 'max_depth', 'min_samples_leaf', 'min_samples_split', 'max_features', 'criterion'},
    'LogisticRegression': {'C', 'max_iter'},
}


def make_classifier(name, hyperparameters, seed):
    """The unfitted classifier and the names of the hyperparameters that it does not take."""
    if name not in TAKES:
        fail(f'unknown model {name!r}; there are: {", ".join(sorted(TAKES))}')
    taken = {key: value for key, value in hyperparameters.items() if key in TAKES[name]}
    unused = sorted(set(hyperparameters) - TAKES[name])
    if name == 'LogisticRegression':
        classifier = LogisticRegression(**{'max_iter': 2000, **taken}, random_state=seed)
        return make_pipeline(StandardScaler(), classifier), unused
    return RandomForestClassifier(**taken, random_state=seed, n_jobs=1), unused


def fit(data, labels, name, hyperparameters, seed):
    """A fitted classifier and the unused hyperparameters."""
    features, named = data.labelled(labels)
    if len(set(named)) < 2:
        fail(f'training needs labels of at least two classes; {len(named)} samples of {len(set(named))} are labelled')
    classifier, unused = make_classifier(name, hyperparameters, seed)
    try:
        return classifier.fit(features, named), unused
    except (TypeError, ValueError) as error:
        fail(f'{name} cannot be trained with {json.dumps(hyperparameters, sort_keys=True)}: {error}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', required=True)
    parser.add_argument('--labels', required=True)
    parser.add_argument('--model-type', required=True)
    parser.add_argument('--hyperparameters', default='{}')
    parser.add_argument('--seed', type=int, required=True)
    args = parser.parse_args()
    model, unused = fit(Data.read(args.data), read_json(args.labels), args.model_type, json.loads(args.hyperparameters), args.seed)
    joblib.dump(model, 'model.joblib')
    write_json('training.json', {'model_type': args.model_type, 'unused_hyperparameters': unused})


if __name__ == '__main__':
    main()

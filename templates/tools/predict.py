"""Step "predict" of evaluation: what the model says about each held-out sample, beside the truth."""
import argparse

import joblib
import numpy as np

from al_common import TEST, Data, write_json


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', required=True)
    parser.add_argument('--model', required=True)
    args = parser.parse_args()
    data = Data.read(args.data)
    rows = np.flatnonzero(data.split == TEST)
    predicted = joblib.load(args.model).predict(data.features[rows])
    write_json(
        'predictions.json',
        {
            'classes': data.classes,
            'ids': [str(row) for row in rows],
            'truth': [data.classes[data.target[row]] for row in rows],
            'predicted': [str(label) for label in predicted],
        },
    )


if __name__ == '__main__':
    main()

"""Step "score" of evaluation: accuracy, and precision, recall and F1 as the mean over classes (macro), with the confusion matrix."""
import argparse

from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from al_common import read_json, write_json


def measure(predictions):
    truth, predicted, classes = predictions['truth'], predictions['predicted'], predictions['classes']
    precision, recall, f1, _ = precision_recall_fscore_support(truth, predicted, labels=classes, average='macro', zero_division=0)
    return {
        'accuracy': float(accuracy_score(truth, predicted)),
        'precision': float(precision),
        'recall': float(recall),
        'f1': float(f1),
        'samples': len(truth),
        'averaging': 'macro',
        'classes': classes,
        'confusion': confusion_matrix(truth, predicted, labels=classes).tolist(),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--predictions', required=True)
    write_json('metrics.json', measure(read_json(parser.parse_args().predictions)))


if __name__ == '__main__':
    main()

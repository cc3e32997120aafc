"""Step "aggregate" of finalize: the rounds of a session → a summary and the learning curve as CSV. Uses the standard library alone."""
import argparse
import csv
import json
from collections import Counter

METRICS = ['accuracy', 'precision', 'recall', 'f1']


def summarise(history):
    """`history`: {rounds: [{round, strategy, queried, labelled, metrics?}], contributors: {name: labels}}."""
    rounds = sorted(history['rounds'], key=lambda one: one['round'])
    measured = [one for one in rounds if one.get('metrics')]
    best = max(measured, key=lambda one: (one['metrics']['accuracy'], -one['round']), default=None)
    return {
        'rounds': len(rounds),
        'rounds_measured': len(measured),
        'samples_queried': sum(one['queried'] for one in rounds),
        'samples_labelled': max((one['labelled'] for one in rounds), default=0),
        'strategies': dict(sorted(Counter(one['strategy'] for one in rounds).items())),
        'contributions': dict(sorted(history.get('contributors', {}).items())),
        'best_round': best and best['round'],
        'best_accuracy': best and best['metrics']['accuracy'],
        'final_accuracy': measured[-1]['metrics']['accuracy'] if measured else None,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--history', required=True)
    with open(parser.parse_args().history, encoding='utf-8') as stream:
        history = json.load(stream)
    with open('summary.json', 'w', encoding='utf-8') as stream:
        json.dump(summarise(history), stream, sort_keys=True, separators=(',', ':'))
    with open('learning-curve.csv', 'w', encoding='utf-8', newline='') as stream:
        writer = csv.writer(stream, lineterminator=chr(10))
        writer.writerow(['round', 'strategy', 'queried', 'labelled', *METRICS])
        for one in sorted(history['rounds'], key=lambda item: item['round']):
            metrics = one.get('metrics') or {}
            writer.writerow([one['round'], one['strategy'], one['queried'], one['labelled'], *[metrics.get(key, '') for key in METRICS]])


if __name__ == '__main__':
    main()

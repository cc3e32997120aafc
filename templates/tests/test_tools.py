"""The tools of the templates, called directly. Run: python3 -m unittest discover -s templates/tests"""
import os
import re
import sys
import unittest

import numpy as np

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tools')
sys.path.insert(0, TOOLS)

import aggregate  # noqa: E402
import al_common  # noqa: E402
import predict  # noqa: E402,F401
import prepare  # noqa: E402
import score  # noqa: E402
import select_samples as selection  # noqa: E402
import train  # noqa: E402
from sklearn.metrics import accuracy_score  # noqa: E402


def dataset(name='digits', seed=0):
    features, target, classes = al_common.load_dataset(name)
    return al_common.Data(features, target, al_common.split_samples(target, seed, 0.3), classes)


def accuracy(data, model):
    rows = np.flatnonzero(data.split == al_common.TEST)
    return accuracy_score([data.classes[data.target[row]] for row in rows], model.predict(data.features[rows]))


class Formulae(unittest.TestCase):
    P = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.4, 0.3, 0.3]])

    def test_least_confidence(self):
        np.testing.assert_allclose(selection.least_confidence(self.P), [0.5, 0.0, 0.6])

    def test_margin_scores_the_closest_race_highest(self):
        np.testing.assert_allclose(selection.margin(self.P), [0.0, -1.0, -0.1])

    def test_entropy_of_certainty_is_zero(self):
        np.testing.assert_allclose(selection.entropy(self.P), [np.log(2), 0.0, 1.0889], atol=1e-4)


class Preparation(unittest.TestCase):
    def test_split_holds_out_thirty_percent_of_every_class(self):
        data = dataset()
        self.assertEqual(int((data.split == al_common.TEST).sum()), 540)
        for index in range(10):
            self.assertAlmostEqual(np.mean(data.split[data.target == index]), 0.3, delta=0.01)

    def test_split_depends_on_the_seed_alone(self):
        np.testing.assert_array_equal(dataset(seed=3).split, dataset(seed=3).split)
        self.assertTrue((dataset(seed=3).split != dataset(seed=4).split).any())

    def test_initial_labels_are_k_per_class_of_the_pool_and_true(self):
        data = dataset('wine')
        labels = prepare.settle_labels(data, None, [], 2, 7)
        self.assertEqual(sorted(labels.values()), sorted(data.classes * 2))
        for sample_id, label in labels.items():
            self.assertEqual(data.split[int(sample_id)], al_common.POOL)
            self.assertEqual(data.classes[data.target[int(sample_id)]], label)

    def test_submitted_labels_win_over_the_oracle(self):
        data = dataset()
        row = str(int(np.flatnonzero(data.split == al_common.POOL)[0]))
        wrong = data.classes[(data.target[int(row)] + 1) % 10]
        self.assertEqual(prepare.settle_labels(data, {row: wrong}, [row], 2, 0), {row: wrong})

    def test_held_out_and_unknown_samples_are_refused(self):
        data = dataset()
        held_out = str(int(np.flatnonzero(data.split == al_common.TEST)[0]))
        for sample_id in [held_out, '99999', 'x', '-1']:
            with self.assertRaises(SystemExit):
                data.pool_row(sample_id)


class Selection(unittest.TestCase):
    def setUp(self):
        self.data = dataset()
        self.labels = prepare.settle_labels(self.data, None, [], 2, 0)
        self.model, _ = train.fit(self.data, self.labels, 'LogisticRegression', {}, 0)

    def test_every_strategy_picks_distinct_unlabelled_samples_of_the_pool(self):
        for strategy in selection.STRATEGIES:
            used, picked = selection.select(self.data, self.labels, self.model, strategy, 12, 5)
            rows = [row for row, _ in picked]
            self.assertEqual((used, len(set(rows))), (strategy, 12))
            self.assertFalse({str(row) for row in rows} & set(self.labels))
            self.assertTrue((self.data.split[rows] == al_common.POOL).all())
            self.assertEqual(picked, selection.select(self.data, self.labels, self.model, strategy, 12, 5)[1])

    def test_without_a_model_uncertainty_says_that_it_drew_at_random(self):
        self.assertEqual(selection.select(self.data, self.labels, None, 'margin', 3, 5)[0], 'random')

    def test_a_small_pool_gives_what_it_has(self):
        data = dataset('wine')
        rows = np.flatnonzero(data.split == al_common.POOL)
        labels = {str(row): data.classes[data.target[row]] for row in rows[:-2]}
        self.assertEqual({row for row, _ in selection.select(data, labels, None, 'random', 10, 0)[1]}, set(rows[-2:].tolist()))
        labels.update({str(row): data.classes[data.target[row]] for row in rows[-2:]})
        self.assertEqual(selection.select(data, labels, None, 'random', 10, 0)[1], [])


class Training(unittest.TestCase):
    def test_hyperparameters_of_other_models_are_named_and_not_used(self):
        _, unused = train.make_classifier('RandomForestClassifier', {'epochs': 50, 'n_estimators': 5, 'learning_rate': 0.1}, 0)
        self.assertEqual(unused, ['epochs', 'learning_rate'])

    def test_one_class_is_not_enough(self):
        with self.assertRaises(SystemExit):
            train.fit(dataset(), {}, 'LogisticRegression', {}, 0)

    def test_bad_values_end_the_tool(self):
        data = dataset()
        with self.assertRaises(SystemExit):
            train.fit(data, prepare.settle_labels(data, None, [], 1, 0), 'RandomForestClassifier', {'n_estimators': 'many'}, 0)


class Reports(unittest.TestCase):
    def test_scores_of_a_known_confusion(self):
        metrics = score.measure({'classes': ['a', 'b'], 'truth': ['a', 'a', 'b', 'b'], 'predicted': ['a', 'a', 'b', 'a']})
        self.assertEqual((metrics['accuracy'], metrics['recall'], metrics['confusion']), (0.75, 0.75, [[2, 0], [1, 1]]))
        self.assertAlmostEqual(metrics['precision'], (2 / 3 + 1) / 2)

    def test_summary_names_the_best_and_the_last_measured_round(self):
        rounds = [{'round': n, 'strategy': 'margin', 'queried': 10, 'labelled': 20 + 10 * n} for n in (1, 2, 3)]
        rounds[0]['metrics'], rounds[1]['metrics'] = {'accuracy': 0.9}, {'accuracy': 0.8}
        summary = aggregate.summarise({'rounds': rounds, 'contributors': {'x': 3}})
        self.assertEqual((summary['best_round'], summary['final_accuracy'], summary['samples_labelled']), (1, 0.8, 50))

    def test_no_round_was_measured(self):
        self.assertIsNone(aggregate.summarise({'rounds': []})['best_accuracy'])


class LabelEfficiency(unittest.TestCase):
    """Fixed seeds, so the comparison is exact; it says that the strategy is wired the right way round, not that it always wins."""

    def curve(self, strategy, seed):
        data = dataset(seed=seed)
        labels, points = prepare.settle_labels(data, None, [], 1, seed), []
        for step in range(20):
            model, _ = train.fit(data, labels, 'LogisticRegression', {}, seed)
            points.append(accuracy(data, model))
            picked = selection.select(data, labels, model, strategy, 10, seed + 1000 * step)[1]
            labels = prepare.settle_labels(data, labels, [str(row) for row, _ in picked], 0, seed)
        return float(np.mean(points))

    def test_margin_beats_random_on_digits(self):
        margin, random = self.curve('margin', 0), self.curve('random', 0)
        self.assertGreater(margin, random + 0.02)


class Embedding(unittest.TestCase):
    def test_no_tool_holds_what_cwl_would_take_for_an_expression(self):
        for name in sorted(os.listdir(TOOLS)):
            if name.endswith('.py'):
                with open(os.path.join(TOOLS, name), encoding='utf-8') as stream:
                    self.assertIsNone(re.search(r'\$\(|\$\{|\\', stream.read()), name)


if __name__ == '__main__':
    unittest.main()

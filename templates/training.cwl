cwlVersion: v1.2
class: Workflow
label: Training
doc: Fits a classifier on the labelled samples of the pool and reports what it was trained on.
inputs:
  dataset: { type: string, default: digits, doc: 'digits, wine or breast_cancer' }
  seed: { type: int, default: 0, doc: Fixes the split and the initial labels. }
  round_seed: { type: int, default: 0, doc: Fixes the fit. }
  initial_per_class: { type: int, default: 2, doc: Labels per class taken from the data set where no labels are given. }
  labels: { type: 'File?', doc: 'JSON object, label by sample id.' }
  reveal: { type: 'string[]?', doc: Ids of samples whose labels the data set itself gives (the simulated oracle). }
  model_type: { type: string, default: RandomForestClassifier, doc: RandomForestClassifier or LogisticRegression. }
  hyperparameters: { type: string, default: '{}', doc: A JSON object. }
  python: { type: string, default: python3 }
steps:
  prepare:
    run: tools/prepare.cwl
    in: { dataset: dataset, seed: seed, initial_per_class: initial_per_class, labels: labels, reveal: reveal, python: python }
    out: [data, labels_file, labels_used]
  train:
    run: tools/train.cwl
    in:
      data: prepare/data
      labels: prepare/labels_file
      model_type: model_type
      hyperparameters: hyperparameters
      seed: round_seed
      python: python
    out: [model, training]
  summarise:
    run: tools/report-training.cwl
    in: { data: prepare/data, labels: prepare/labels_file, model: train/model, training: train/training, python: python }
    out: [report, report_file]
outputs:
  model: { type: File, outputSource: train/model }
  labels_used: { type: Any, outputSource: prepare/labels_used, doc: Label by sample id. }
  report: { type: Any, outputSource: summarise/report }
  report_file: { type: File, outputSource: summarise/report_file }

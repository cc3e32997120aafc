cwlVersion: v1.2
class: Workflow
label: Query selection
doc: >-
  Chooses the samples of the pool to ask labels for. Given a model, the strategy uses it; without one, an initial model is fitted on the
  labelled samples for this choice alone; without labels of two classes either, the batch is drawn at random and says so.
requirements:
  InlineJavascriptRequirement: {}
inputs:
  dataset: { type: string, default: digits, doc: 'digits, wine or breast_cancer' }
  seed: { type: int, default: 0, doc: Fixes the split and the initial labels. }
  round_seed: { type: int, default: 0, doc: Fixes what is drawn in this round. }
  initial_per_class: { type: int, default: 2, doc: Labels per class taken from the data set where no labels are given. }
  labels: { type: 'File?', doc: 'JSON object, label by sample id.' }
  model: { type: 'File?', doc: A model that the training template wrote. }
  model_type: { type: string, default: RandomForestClassifier, doc: Classifier of the initial model. }
  hyperparameters: { type: string, default: '{}' }
  strategy: { type: string, default: least_confidence, doc: 'least_confidence, margin, entropy, kmeans or random' }
  batch_size: { type: int, default: 10 }
  python: { type: string, default: python3 }
steps:
  prepare:
    run: tools/prepare.cwl
    in: { dataset: dataset, seed: seed, initial_per_class: initial_per_class, labels: labels, python: python }
    out: [data, labels_file, labels_used, summary]
  initial_model:
    run: tools/train.cwl
    when: $(inputs.given === null && inputs.summary.classes_labelled >= 2)
    in:
      given: model
      summary: prepare/summary
      data: prepare/data
      labels: prepare/labels_file
      model_type: model_type
      hyperparameters: hyperparameters
      seed: round_seed
      python: python
    out: [model]
  select:
    run: tools/select.cwl
    in:
      data: prepare/data
      labels: prepare/labels_file
      model: model
      initial_model: initial_model/model
      strategy: strategy
      batch_size: batch_size
      seed: round_seed
      python: python
    out: [query_file, query]
outputs:
  query: { type: Any, outputSource: select/query }
  query_file: { type: File, outputSource: select/query_file }
  summary: { type: Any, outputSource: prepare/summary }
  labels_used: { type: Any, outputSource: prepare/labels_used, doc: Label by sample id. }

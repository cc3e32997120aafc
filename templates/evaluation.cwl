cwlVersion: v1.2
class: Workflow
label: Evaluation
doc: Measures a model on the held-out 30 % of the data set, which no training and no query ever sees.
inputs:
  dataset: { type: string, default: digits, doc: 'digits, wine or breast_cancer' }
  seed: { type: int, default: 0, doc: Must be the seed the model was trained with; it fixes the split. }
  model: { type: File, doc: A model that the training template wrote. }
  python: { type: string, default: python3 }
steps:
  prepare:
    run: tools/prepare.cwl
    in: { dataset: dataset, seed: seed, python: python }
    out: [data]
  predict:
    run: tools/predict.cwl
    in: { data: prepare/data, model: model, python: python }
    out: [predictions]
  score:
    run: tools/score.cwl
    in: { predictions: predict/predictions, python: python }
    out: [metrics, metrics_file]
outputs:
  metrics: { type: Any, outputSource: score/metrics }
  metrics_file: { type: File, outputSource: score/metrics_file }
  predictions: { type: File, outputSource: predict/predictions }

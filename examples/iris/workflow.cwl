cwlVersion: v1.2
class: Workflow
label: Which measurement tells iris species apart best
doc: Nearest-centroid classification with one feature at a time, every second flower held out, each step in a container.
requirements:
  ScatterFeatureRequirement: {}
  InlineJavascriptRequirement: {}
inputs:
  flowers: {type: File, doc: "CSV: four measurements and the species, with a header."}
  features:
    type: int[]
    doc: Columns to try, counted from 1.
steps:
  split:
    run: tools/split.cwl
    in: {table: flowers}
    out: [training, test]
  centroids:
    run: tools/centroids.cwl
    scatter: feature
    in: {table: split/training, feature: features}
    out: [model]
  classify:
    run: tools/classify.cwl
    scatter: [model, feature]
    scatterMethod: dotproduct
    in: {model: centroids/model, table: split/test, feature: features}
    out: [predictions, accuracy]
  choose:
    run: tools/choose.cwl
    in: {table: flowers, features: features, accuracies: classify/accuracy}
    out: [best, summary]
outputs:
  best: {type: string, outputSource: choose/best}
  accuracies: {type: "double[]", outputSource: classify/accuracy}
  predictions: {type: "File[]", outputSource: classify/predictions}
  summary: {type: File, outputSource: choose/summary}

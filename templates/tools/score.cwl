cwlVersion: v1.2
class: CommandLineTool
doc: Accuracy, precision, recall, F1 and the confusion matrix of predictions.
hints:
  DockerRequirement:
    dockerPull: weft-al-sklearn:1
  ResourceRequirement:
    coresMin: 1
    ramMin: 1024
requirements:
  InlineJavascriptRequirement: {}
  EnvVarRequirement:
    envDef:
      OMP_NUM_THREADS: '1'
      OPENBLAS_NUM_THREADS: '1'
      PYTHONDONTWRITEBYTECODE: '1'
      PYTHONHASHSEED: '0'
  InitialWorkDirRequirement:
    listing:
      - entryname: al_common.py
        entry:
          $include: al_common.py
      - entryname: score.py
        entry:
          $include: score.py
arguments: ["$(inputs.python)", score.py]
inputs:
  python:
    type: string
    default: python3
    doc: The interpreter; it must have scikit-learn and joblib.
  predictions:
    type: File
    inputBinding: { prefix: --predictions }
outputs:
  metrics_file:
    type: File
    outputBinding: { glob: metrics.json }
  metrics:
    type: Any
    outputBinding:
      glob: metrics.json
      loadContents: true
      outputEval: $(JSON.parse(self[0].contents))

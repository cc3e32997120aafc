cwlVersion: v1.2
class: CommandLineTool
doc: Fits a classifier on the labelled samples.
hints:
  DockerRequirement:
    dockerPull: weft-al-sklearn:1
  ResourceRequirement:
    coresMin: 1
    ramMin: 1024
requirements:
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
      - entryname: train.py
        entry:
          $include: train.py
arguments: ["$(inputs.python)", train.py]
inputs:
  python:
    type: string
    default: python3
    doc: The interpreter; it must have scikit-learn and joblib.
  data:
    type: File
    inputBinding: { prefix: --data }
  labels:
    type: File
    inputBinding: { prefix: --labels }
  model_type:
    type: string
    default: RandomForestClassifier
    inputBinding: { prefix: --model-type }
  hyperparameters:
    type: string
    default: '{}'
    doc: A JSON object; names the classifier does not take are reported, not used.
    inputBinding: { prefix: --hyperparameters }
  seed:
    type: int
    inputBinding: { prefix: --seed }
outputs:
  model:
    type: File
    outputBinding: { glob: model.joblib }
  training:
    type: File
    outputBinding: { glob: training.json }

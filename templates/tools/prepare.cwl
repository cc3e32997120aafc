cwlVersion: v1.2
class: CommandLineTool
doc: Loads a built-in data set, splits it into pool and held-out samples, and settles which samples are labelled.
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
      - entryname: prepare.py
        entry:
          $include: prepare.py
arguments: ["$(inputs.python)", prepare.py]
inputs:
  python:
    type: string
    default: python3
    doc: The interpreter; it must have scikit-learn and joblib.
  dataset:
    type: string
    inputBinding: { prefix: --dataset }
  seed:
    type: int
    inputBinding: { prefix: --seed }
  test_fraction:
    type: double
    default: 0.3
    inputBinding: { prefix: --test-fraction }
  initial_per_class:
    type: int
    default: 0
    inputBinding: { prefix: --initial-per-class }
  labels:
    type: File?
    inputBinding: { prefix: --labels }
  reveal:
    type: string[]?
    inputBinding: { prefix: --reveal, itemSeparator: ',' }
outputs:
  data:
    type: File
    outputBinding: { glob: data.npz }
  labels_file:
    type: File
    outputBinding: { glob: labels.json }
  labels_used:
    type: Any
    outputBinding:
      glob: labels.json
      loadContents: true
      outputEval: $(JSON.parse(self[0].contents))
  summary:
    type: Any
    outputBinding:
      glob: summary.json
      loadContents: true
      outputEval: $(JSON.parse(self[0].contents))

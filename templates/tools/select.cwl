cwlVersion: v1.2
class: CommandLineTool
doc: Chooses the samples of the pool to ask labels for.
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
      - entryname: select_samples.py
        entry:
          $include: select_samples.py
arguments: ["$(inputs.python)", select_samples.py]
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
  strategy:
    type: string
    inputBinding: { prefix: --strategy }
  batch_size:
    type: int
    inputBinding: { prefix: --batch-size }
  seed:
    type: int
    inputBinding: { prefix: --seed }
  model:
    type: File?
    inputBinding: { prefix: --model }
  initial_model:
    type: File?
    inputBinding: { prefix: --initial-model }
outputs:
  query_file:
    type: File
    outputBinding: { glob: query.json }
  query:
    type: Any
    outputBinding:
      glob: query.json
      loadContents: true
      outputEval: $(JSON.parse(self[0].contents))

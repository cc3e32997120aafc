cwlVersion: v1.3.0-dev1
class: Workflow
requirements: { InlineJavascriptRequirement: {}, ScatterFeatureRequirement: {} }
inputs: { n: 'int[]' }
outputs: []
steps: { s: { run: { class: ExpressionTool, inputs: { n: int }, outputs: { n: int }, expression: '$({"n": inputs.n + 1})' }, scatter: n, when: $(inputs.n < 3), loop: { n: n }, in: { n: n }, out: [n] } }

cwlVersion: v1.3.0-dev1
class: Workflow
requirements: { InlineJavascriptRequirement: {} }
inputs: { n: int }
outputs: { n: { type: 'int[]', outputSource: count/n } }
steps:
  count: { run: { class: ExpressionTool, inputs: { n: int }, outputs: { n: int }, expression: '$({"n": inputs.n + 1})' }, when: $(inputs.n < 24), loop: { n: n }, outputMethod: all_iterations, in: { n: n }, out: [n] }

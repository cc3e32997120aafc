cwlVersion: v1.2
class: ExpressionTool
inputs: { n: int }
outputs: { out: int }
expression: '$({"out": inputs.n + 1})'

cwlVersion: v1.2
class: ExpressionTool
requirements: { InlineJavascriptRequirement: { expressionLib: [{ $include: library.txt }] } }
inputs: { n: int }
outputs: { out: int }
expression: '$({"out": twice(inputs.n)})'

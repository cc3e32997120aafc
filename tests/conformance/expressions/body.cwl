cwlVersion: v1.2
class: ExpressionTool
requirements: { InlineJavascriptRequirement: {} }
inputs: { words: "string[]" }
outputs: { out: string }
expression: |
  ${
    var all = inputs.words.join("-");
    return { out: all + " $(not.a.reference)" };
  }

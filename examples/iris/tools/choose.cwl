cwlVersion: v1.2
class: ExpressionTool
doc: The feature with the highest accuracy, and a summary as a file.
requirements:
  InlineJavascriptRequirement: {}
inputs:
  table: {type: File, loadContents: true}
  features: int[]
  accuracies: double[]
outputs:
  best: string
  summary: File
expression: |
  ${
    var names = inputs.table.contents.split("\n")[0].split(",");
    var rows = inputs.features.map(function (feature, i) { return [names[feature - 1], inputs.accuracies[i]]; });
    rows.sort(function (a, b) { return b[1] - a[1]; });
    var text = rows.map(function (row) { return row[0] + "\t" + row[1].toFixed(4) + "\n"; }).join("");
    return {"best": rows[0][0], "summary": {"class": "File", "basename": "summary.tsv", "contents": text}};
  }

cwlVersion: v1.2
class: ExpressionTool
doc: Which species has the largest mean, and how many times the smallest one.
requirements:
  InlineJavascriptRequirement: {}
inputs:
  species: string[]
  means: double[]
outputs:
  largest: string
  ratio: double
expression: |
  ${
    var order = inputs.means
      .map(function (mean, i) { return {"species": inputs.species[i], "mean": mean}; })
      .sort(function (a, b) { return b.mean - a.mean; });
    var ratio = order[0].mean / order[order.length - 1].mean;
    return {"largest": order[0].species, "ratio": Math.round(ratio * 1000) / 1000};
  }

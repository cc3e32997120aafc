cwlVersion: v1.2
class: CommandLineTool
requirements: { InlineJavascriptRequirement: {}, LoadListingRequirement: { loadListing: deep_listing } }
inputs: { folder: Directory }
outputs: { names: { type: 'string[]', outputBinding: { outputEval: '${ return inputs.folder.listing.map(function (x) { return x.basename; }).sort(); }' } } }
baseCommand: 'true'

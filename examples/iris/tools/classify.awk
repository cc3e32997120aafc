# First file: species and mean. Second file: the flowers. Prints the true and the predicted species.
BEGIN { OFS = "\t" }
NR == FNR { split($0, pair, "\t"); mean[pair[1]] = pair[2]; next }
{
  split($0, field, ",")
  nearest = ""
  for (species in mean) {
    distance = field[feature] - mean[species]
    if (distance < 0) distance = -distance
    if (nearest == "" || distance < least || (distance == least && species < nearest)) { nearest = species; least = distance }
  }
  print field[5], nearest
}

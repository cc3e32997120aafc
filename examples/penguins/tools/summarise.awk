# species, n, mean, standard deviation (of the sample), smallest, largest
BEGIN { FS = "\t" }
$1 == species {
  n++; sum += $2; squares += $2 * $2
  if (n == 1 || $2 < min) min = $2
  if (n == 1 || $2 > max) max = $2
}
END {
  if (n < 2) { print "fewer than two " species > "/dev/stderr"; exit 1 }
  mean = sum / n
  print species, n, sprintf("%.2f", mean), sprintf("%.2f", sqrt((squares - n * mean * mean) / (n - 1))), min, max
}

BEGIN {
  FS = "\t"
  print "# " column " by species\n"
  print "| species | n | mean | sd | min | max |\n|---|---|---|---|---|---|"
}
{ printf "| %s | %d | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6 }

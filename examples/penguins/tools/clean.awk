# Species and the column `wanted`, without the rows where it is missing.
NR == 1 {
  for (i = 1; i <= NF; i++) if ($i == wanted) at = i
  if (!at) { print "there is no column " wanted " in: " $0 > "/dev/stderr"; exit 1 }
  next
}
$at != "NA" { print $1, $at }

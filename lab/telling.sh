# How scripts inside of a machine tell what they do. Sourced.

step() { printf '\n%s\n' "$*"; }

# Runs what is shown, and shows what it says. A console has its lines end as terminals want them.
try() {
  printf '  $ %s\n' "$*"
  "$@" | sed -u 's/\r$//; s/^/    /'
}

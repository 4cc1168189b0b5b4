# What every script of the lab shares. Sourced, after `set -euo pipefail`.

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(dirname "$lab")
if [[ $project == *:* ]]; then # it would end an element of Java's paths
  echo "lab/${0##*/}: the lab does not work below a path with a colon: move or copy $project" >&2
  exit 125
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vfio4j

# On a terminal, over the line that tells how far something is.
say() {
  if [[ -t 2 ]]; then printf '\r\e[K' >&2; fi
  printf '%s\n' "$*" >&2
}

die() {
  say "lab/${0##*/}: $*"
  exit 125
}

# value OPTION [VALUE]...: prints the value of an option, which has to have one.
value() {
  (($# > 1)) || die "$1 wants a value; see lab/${0##*/} --help"
  printf '%s\n' "$2"
}

# number OPTION [VALUE]...: the same for an option that takes whole numbers.
number() {
  local number
  number=$(value "$@") || exit
  [[ $number =~ ^(0|[1-9][0-9]{0,17})$ ]] || die "$1 wants a whole number, not '$number'"
  echo "$number"
}

unknown() {
  die "unknown argument '$1'; see lab/${0##*/} --help"
}

# The first lines of a script are its help.
if [[ ${1:-} == --help || ${1:-} == -h ]]; then
  sed -n '2,/^[^#]/s/^# \?//p' "$0"
  exit
fi

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root once, to install packages: run it as root or install sudo"
  fi
}

# Whether all of these packages are installed.
installed() {
  local package
  for package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || return 1
  done
}

# Installs packages from the machine's own apt sources, when any of them is missing.
need() {
  installed "$@" && return
  say "Installing $*"
  local install=(env DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -o=Dpkg::Use-Pty=0 --no-install-recommends "$@")
  as_root "${install[@]}" >/dev/null 2>&1 && return
  as_root apt-get update -qq >&2
  as_root "${install[@]}" >&2 || die "apt could not install: $*"
}

# Sets JAVA_HOME to a JDK 25 or later, installing one where apt has it.
use_jdk() {
  JAVA_HOME=$("$project/bin/jdk" 2>/dev/null) || {
    if [[ -n $(apt-cache policy openjdk-25-jdk-headless 2>/dev/null) ]]; then
      need openjdk-25-jdk-headless
    fi
    JAVA_HOME=$("$project/bin/jdk") || exit 125
  }
  export JAVA_HOME
}

# Whether no source is newer than the last build.
is_built() {
  local newer
  [[ -e $project/target/lab-build ]] || return 1
  newer=$(cd "$project" && find . \( -name target -o -path ./.git \) -prune -o \
    \( -path '*/src/*' -o -name pom.xml \) -newer target/lab-build -print -quit)
  [[ ! $newer ]]
}

# Maven on our JDK, without the warnings of the JDK about Maven's own libraries, and without the escape
# sequences that end its colours even where there are none.
maven() {
  need maven
  use_jdk
  MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED -Djansi.noreset=true \
${MAVEN_OPTS:-}" \
    mvn -q -B -Dstyle.color=never "$@"
}

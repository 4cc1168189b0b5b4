# Debian suites other than the machine's own, through private lists: the system's apt sources stay as
# they are. The mirror is the one those sources name; signatures are checked with Debian's keyring.
# Sourced after lib.sh.

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
debian_codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

# Prints the mirror that this machine takes its own Debian suite from.
debian_mirror() {
  apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk -v codename="$debian_codename" '$1 == codename { print $2; exit }'
}

# use_suites SUITE...: sets apt_options, with which apt-get and apt-cache see these suites only.
use_suites() {
  local mirror dir
  [[ -e $debian_keyring ]] || need debian-archive-keyring
  mirror=$(debian_mirror)
  if [[ ! $mirror ]]; then # apt tells only about sources that it has lists of
    as_root apt-get update -qq >&2
    mirror=$(debian_mirror)
  fi
  [[ -n $mirror ]] || die "the apt sources of this machine name no mirror of Debian $debian_codename"
  dir=$cache/apt/$(IFS=+; echo "$*")
  mkdir -p "$dir/lists/partial" "$dir/archives/partial"
  printf "deb [signed-by=$debian_keyring] $mirror %s main\n" "$@" >"$dir/sources.list"
  apt_options=(-o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=-
    -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir" -o APT::Sandbox::User=root
    -o Acquire::Languages=none)
}

# unpacked_packages ARCHITECTURE SUITE,... PACKAGE...: prints a directory that holds these packages, of the
# last of the suites where it has them, and all that they depend on: downloaded once and unpacked there,
# not installed. The file "packages" in it tells their versions.
unpacked_packages() {
  local architecture=$1 suites out lock work options deb link
  IFS=, read -ra suites <<<"$2"
  shift 2
  out=$cache/packages/$architecture-$(sha256sum <<<"${suites[*]} $*" | cut -c 1-12)
  if [[ ! -d $out ]]; then
    mkdir -p "$cache/packages"
    exec {lock}>"$cache/packages/lock"
    flock "$lock"
  fi
  if [[ ! -d $out ]]; then
    say "Downloading ${!#} for $architecture from ${suites[-1]}"
    use_suites "${suites[@]}"
    work=$out.partial
    rm -rf "$work"
    mkdir -p "$work"/{lists/partial,archives/partial,root}
    : >"$work/status" # nothing counts as installed, so nothing that is needed is left out
    options=("${apt_options[@]}" -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work"
      -o Dir::State::Status="$work/status" -o Dir::State::Extended_States="$work/states"
      -o APT::Architecture="$architecture" -o APT::Architectures="$architecture")
    apt-get "${options[@]}" update -qq >&2
    apt-get "${options[@]}" install -qq --yes --download-only --no-install-recommends \
      -t "${suites[-1]}" "$@" >&2 || die "apt could not download: $*"
    for deb in "$work"/archives/*.deb; do
      dpkg-deb --fsys-tarfile "$deb" | # without what nobody reads there, two thirds of it all
        tar -x -C "$work/root" --keep-directory-symlink \
          --exclude=./usr/share/{doc,man,info,locale,AAVMF}
    done
    find "$work/root" -lname '/*' -print0 | while IFS= read -rd '' link; do
      ln -sfnr "$work/root$(readlink "$link")" "$link" # it is not the root directory
    done
    (cd "$work/archives" && printf '%s\n' *.deb) >"$work/root/packages"
    mv "$work/root" "$out"
    rm -rf "$work"
  fi
  echo "$out"
}

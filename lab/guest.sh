# What lab/demo vm runs inside of its machine, by bash, with an initrd whose program is guest.c of the tests.
set -euo pipefail
. "$(dirname "$0")/telling.sh"

initrd=$1
disk=0000:02:00.0
page=4096
blocks=$((page / 512))
work=$(mktemp -d)

# A page with a text, then random bytes, of which the last is 0, for the guest prints the text.
make_page() {
  printf '%s\0' "$1"
  head -c $((page - ${#1} - 2)) /dev/urandom
  printf '\0'
}

# give WAY: gives the disk to a guest, which has three minutes.
give() {
  try timeout 180 vfio4j vm --kernel "$LAB_IMAGE" --initrd "$initrd" --memory 128M --cpus 2 \
    --device "$disk,iommufd=$1" --no-reboot \
    --append 'console=ttyS0 loglevel=1 panic=-1 no_timer_check order=disk,off' | tee "$work/said"
}

# show WAY: gives the disk to a guest, by iommufd=WAY, and proves by all bytes of two pages that it had it.
show() {
  local text="level 1 has written this, iommufd=$1"
  make_page "$text" >"$work/written"

  echo "A program writes a page of the disk, with this library's driver:"
  try vfio4j nvme write $disk "$work/written" --yes

  echo "The monitor gives the disk to a guest. Linux's own driver reads the page there, and writes it to the next"
  echo "one with all bits turned over:"
  give "$1" || {
    (($? == 124)) || fail "the monitor has failed"
    echo "The guest stands still, as some do in an emulated machine (lab/README.md). Once more:"
    give "$1"
  }
  grep -q "guest: disk says $text\$" "$work/said" || fail "the guest has read something else"

  echo "The guest is off. The program reads what it has written:"
  try vfio4j nvme read $disk "$work/read" --block $blocks --count $blocks --force
  perl -0777 -pe '$_ = ~$_' "$work/written" | cmp - "$work/read" || fail "the guest has written something else"
  echo "    all $page bytes are right"
}

fail() {
  echo "lab/demo: $*" >&2
  exit 1
}

echo "A virtual machine in this one: a monitor that is a Java program runs Linux on KVM, and gives it the disk $disk."
echo "The program outside is at level 1, the guest at level 2. The disk reaches the guest's memory and interrupts its"
echo "processors by itself, through the IOMMU, and no other memory."

step "The disk goes to programs:"
try vfio4j bind $disk

step "By the disk's own node and an iommufd:"
show on

step "By its group and a container:"
show off

step "Every byte matched, by both interfaces."

# What lab/demo nvme runs inside of its machine, by bash, with a directory that has Debian's fio.
set -euo pipefail
. "$(dirname "$0")/disk.sh"
. "$(dirname "$0")/telling.sh"

disk=0000:05:00.0
blocks=2048 # of 512 bytes
seconds=3
work=$(mktemp -d)

echo "An NVMe disk, once with this library's driver and once with the kernel's: $disk"

step "The kernel's driver has it. fio reads 4 KiB at random, 32 at once, by io_uring:"
await_node $disk
fio "$1" --rw=randread --bs=4k --iodepth=32 --time_based --runtime=$seconds >"$work/fio"
kernel=$(cut -d ';' -f 8 "$work/fio")
echo "    $kernel reads a second"

step "A program takes it, and reads the same way, with this library's driver:"
try vfio4j bind $disk
vfio4j nvme bench $disk --seconds $seconds --size 4096 --depth 32 --json >"$work/bench"
ours=$(sed -n 's/.*"commandsPerSecond" *: *\([0-9]*\).*/\1/p' "$work/bench")
echo "    $ours reads a second"

step "It writes a mebibyte of random bytes, and reads it back:"
head -c $((blocks * 512)) /dev/urandom >"$work/written"
try vfio4j nvme write $disk "$work/written" --yes
try vfio4j nvme read $disk "$work/read" --count $blocks
cmp "$work/written" "$work/read"
echo "    all bytes are equal"

step "The kernel's driver has it again, and reads the same bytes:"
try vfio4j unbind $disk
await_node $disk
head -c $((blocks * 512)) "$node" | cmp - "$work/written"
echo "    all bytes are equal"

step "The race: this library's driver did $((ours * 100 / kernel)) % of the reads of the kernel's with io_uring."
echo "It polls, where the kernel's waits for interrupts, which cost more here than in a real machine."

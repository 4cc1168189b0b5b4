# How scripts inside of a machine use a disk by the kernel's own driver. Sourced.

# await_node DISK: waits until the driver has namespace 1 of the PCI device, and sets node to its name,
# whose number is by the order in which the driver came by the namespaces.
await_node() {
  local i name
  for ((i = 0; i < 100; i++)); do
    for name in /sys/bus/pci/devices/"$1"/nvme/nvme*/nvme*n*; do
      node=/dev/${name##*/}
      if [[ -b $node && $(<"$name/nsid") == 1 ]]; then return; fi
    done
    sleep 0.1
  done
  echo "the kernel's driver has not taken $1" >&2
  return 1
}

# fio DIRECTORY ARGUMENT...: runs Debian's fio, which is unpacked there, on $node by io_uring; prints one line.
fio() {
  local usr=$1/usr
  shift
  "$usr/lib64/ld-linux-x86-64.so.2" --library-path "$usr/lib/x86_64-linux-gnu:$usr/lib/x86_64-linux-gnu/ceph" \
    "$usr/bin/fio" --name=lab --filename="$node" --ioengine=io_uring --direct=1 --thread \
    --output-format=terse --terse-version=3 "$@"
}

# The devices of every machine with an IOMMU, at the same addresses. Sourced by them; sets devices, bridged
# and backends.
devices=(
  edu,addr=5                                         # 00:05.0, a group of its own
  pcie-pci-bridge,id=bridge,addr=8
  ivshmem-plain,memdev=shared,addr=9,romfile="$lab/devices.rom" # BAR 2 is memory that can be mapped
  virtio-rng-pci,addr=0xa                            # has a driver in the kernel, to be given back to
  edu,addr=0xb,dma_mask=0xffffffffffffffff           # 00:0b.0, a second one that does DMA in every variant, anywhere
  pcie-root-port,id=port1,chassis=1,addr=6,x-speed=5
  igb,bus=port1,romfile=,netdev=lan                  # SR-IOV
  pcie-root-port,id=port2,chassis=2,addr=7,x-speed=5 # this speed, or there is no hot reset
  nvme,id=disks,serial=a,bus=port2,addr=0.0,multifunction=on,mdts=5,dbcs=off # MSI-X, two functions in a slot
  nvme-ns,bus=disks,drive=disk,nsid=1                # 128 KiB a command, 512 bytes a block
  nvme-ns,bus=disks,drive=disk2,nsid=2,logical_block_size=4096,physical_block_size=4096
  nvme,serial=b,bus=port2,addr=0.1
  pcie-root-port,id=port3,chassis=3,addr=0xc,x-speed=5
  igb,id=hot,bus=port3,romfile=,netdev=lan2          # to be unplugged; its port reports errors (AER)
  qemu-xhci,addr=0xd,msi=on                          # MSI with 16 vectors; has no driver here
  pcie-root-port,id=port4,chassis=4,addr=0xe,x-speed=5
  nvme,id=others,serial=c,bus=port4,mdts=1,dbcs=on,cmb_size_mb=1 # 8 KiB a command, doorbells in memory, memory for queues
  nvme-ns,bus=others,drive=disk3,nsid=1
  nvme-ns,bus=others,drive=disk4,nsid=2,zoned=on,zoned.zone_size=1M,zoned.zone_capacity=768K,zoned.max_open=3,zoned.max_active=5
  pcie-root-port,id=port5,chassis=5,addr=0xf,x-speed=5
  ivshmem-plain,memdev=shared2,bus=port5             # memory that can be mapped, and a reset: that of its bus
  pcie-root-port,id=port6,chassis=6,addr=0x10,x-speed=5
  nvme-subsys,id=both,nqn=both                       # one virtual controller, which the physical one equips
  nvme,id=virtual,serial=v,bus=port6,subsys=both,sriov_max_vfs=1,sriov_vq_flexible=2,sriov_vi_flexible=2
  nvme-ns,bus=virtual,drive=disk5,nsid=1
)
# One group, where Linux can have it: not under Arm's SMMU, and virtio's IOMMU fails for all devices then.
bridged=(
  edu,bus=bridge,addr=1
  edu,bus=bridge,addr=2
  virtio-rng-pci,bus=bridge,addr=3                   # whose driver keeps that group from user programs
)
# Empty files, which go with the run; the last one is for a disk that is plugged in.
disks=(disk disk2 disk3 disk4 disk5 spare)
backends=(-object memory-backend-ram,id=shared,size=1M,share=on
  -object memory-backend-ram,id=shared2,size=1M,share=on
  -netdev user,id=lan,restrict=on -netdev user,id=lan2,restrict=on)

# Starting a machine of lab/machines under QEMU. Sourced after lib.sh.

. "$lab/apt.sh"

# emulate ARCHITECTURE: the first line of every machine; sets arch, qemu and qemu_home. QEMU is that of Debian 13's
# backports, only unpacked, with the C library that it needs. An emulated machine of QEMU 10 aborts now and then
# when one processor uses a device while another one moves it (iotlb_to_section).
emulate() {
  local package program
  arch=$1
  case $arch in
    x86) package=qemu-system-x86 program=qemu-system-x86_64 ;;
    arm64) package=qemu-system-arm program=qemu-system-aarch64 ;;
  esac
  qemu_home=$(unpacked_packages amd64 trixie,trixie-backports "$package")
  qemu=(env QEMU_MODULE_DIR="$qemu_home/usr/lib/x86_64-linux-gnu/qemu"
    "$qemu_home/usr/lib64/ld-linux-x86-64.so.2" --library-path "$qemu_home/usr/lib/x86_64-linux-gnu"
    "$qemu_home/usr/bin/$program" -L "$qemu_home/usr/share/qemu" -L "$qemu_home/usr/share/seabios")
}

# Whether KVM really boots a guest here: /dev/kvm alone proves nothing. Found out once per host boot.
kvm_works() {
  local proof
  [[ -w /dev/kvm ]] || return 1
  proof=$cache/kvm/$(</proc/sys/kernel/random/boot_id)
  if [[ ! -e $proof ]]; then
    say "Trying KVM"
    rm -rf "$cache/kvm"
    mkdir -p "$cache/kvm"
    if LAB_ACCEL=kvm "$lab/run" "${small[@]}" --kernel "$kernel" --machine bare --timeout 20 -- \
      true >/dev/null 2>&1; then
      echo yes >"$proof"
    else
      echo no >"$proof"
    fi
  fi
  [[ $(<"$proof") == yes ]]
}

# load_machine NAME[/VARIANT]: sets machine and variant, and arch, qemu, qemu_home, board, cpu, append, devices, disks,
# backends and table as lab/machines says. What emulates it is there.
load_machine() {
  local variants
  machine=${1%%/*}
  variant=${1#"$machine"}
  variant=${variant#/}
  board=q35,kernel-irqchip=split cpu=max,la57=off table='' disks=()
  [[ -f $lab/machines/$machine ]] || die "there is no machine '$machine', see $lab/machines"
  . "$lab/machines/$machine"
  if [[ $variant ]]; then
    [[ " ${variants[*]} " == *" $variant "* ]] || die "'$machine' has only the variants: ${variants[*]}"
  elif ((${#variants[@]})); then
    load_machine "$machine/${variants[0]}"
  fi
}

# kernel_of VERSION: prints what lab/kernel calls this version for the machine that is loaded; fails if there is none.
kernel_of() {
  local name=$1
  if [[ $arch != x86 ]]; then name+=-$arch; fi
  [[ -f $lab/kernels/$name ]] || die "there is no kernel '$1' for '$machine', see $lab/kernels"
  echo "$name"
}

# need_userland: where the host's programs do not run, sets userland to a tree that has those of the guest.
need_userland() {
  userland=''
  if [[ $arch == arm64 ]]; then
    userland=$(unpacked_packages arm64 trixie '?essential' mount qemu-efi-aarch64 openjdk-25-jre-headless)
  fi
}

# need_table KERNEL: where the machine wants a table of its firmware changed, sets initrd to an archive with
# which Linux does that. The table is taken from a first boot and lasts until QEMU or the machine changes.
need_table() {
  initrd=''
  if [[ ! $table || ${LAB_TABLES:-} == original ]]; then return; fi
  initrd=$cache/tables/$machine-$({
    "${qemu[@]}" --version
    cat "$lab/machines/$machine" "$lab/devices.sh" "$lab"/harness/src/main/java/io/github/vfio4j/lab/AcpiTable.java
  } | sha256sum | cut -c 1-12).cpio
  [[ ! -e $initrd ]] || return 0
  say "Reading the table $table of $machine"
  mkdir -p "$cache/tables"
  LAB_TABLES=original "$lab/run" "${small[@]}" --kernel "$1" --machine "$machine" --timeout 120 -- \
    cat "/sys/firmware/acpi/tables/$table" >"$scratch/table"
  "$JAVA_HOME/bin/java" -cp "$lab/harness/target/classes" io.github.vfio4j.lab.AcpiTable \
    <"$scratch/table" >"$scratch/initrd"
  mv "$scratch/initrd" "$initrd"
}

# tell RELEASE: says what is about to be booted, and what its times are worth. A machine's file begins with what
# it is.
tell() {
  say
  say "Booting a virtual machine in QEMU, with Linux $1: $(sed -n '1s/^# A/a/; 1s/\..*//p' "$lab/machines/$machine")."
  if [[ $arch == x86 ]] && kvm_works; then
    say "It runs on this machine's own processors, with KVM."
  else
    if [[ $arch == x86 ]]; then
      say "KVM, which lends a guest this machine's own processors, does not work here: QEMU emulates them."
    else
      say "QEMU emulates its processors, which are of another kind than this machine's."
    fi
    say "That takes a minute, and the times that are told below are the emulator's, not the library's."
  fi
  say
}

# boot IMAGE SHARE: boots the machine that is loaded and returns when it is off. It runs what
# SHARE/environment says, its console goes to SHARE/console. Status 124: it was not off after $timeout
# seconds; 123: it was not up after two minutes.
boot() {
  local image=$1 share=$2 arguments=("${backends[@]}") status=0 options init device disk out err out_cat err_cat
  case $arch in
    x86)
      options="console=ttyS0 unknown_nmi_panic no_timer_check"
      init="init=\"$lab/init\""
      ;;
    arm64)
      arguments+=(-bios "$userland/usr/share/qemu-efi-aarch64/QEMU_EFI.fd")
      options=console=ttyAMA0
      init="init=\"$userland/usr/lib/ld-linux-aarch64.so.1\" userland=\"$userland\" -- --library-path \
\"$userland/usr/lib/aarch64-linux-gnu\" \"$userland/usr/bin/bash\" \"$lab/init\""
      ;;
  esac
  options+=" initcall_blacklist=igb_init_module,igbvf_init_module"
  if [[ ! $kernel_disks ]]; then options+=,nvme_init; fi
  if [[ $initrd ]]; then arguments+=(-initrd "$initrd"); fi
  for disk in ${disks[@]+"${disks[@]}"}; do
    truncate -s 64M "$scratch/$disk"
    arguments+=(-blockdev "driver=file,node-name=$disk,filename=$scratch/$disk")
  done
  for device in "${devices[@]}"; do arguments+=(-device "$device"); done
  if [[ $icount ]]; then
    arguments+=(-accel tcg -icount shift=0 -smp 1 -cpu "$cpu")
  elif [[ $arch == x86 ]] && { [[ ${LAB_ACCEL:-} == kvm ]] || kvm_works; }; then
    arguments+=(-accel kvm -smp 2 -cpu host)
  else
    arguments+=(-accel "tcg,thread=$threads" -smp 2 -cpu "$cpu")
  fi
  if [[ $interactive ]]; then
    arguments+=(-chardev stdio,id=terminal,signal=off -device virtconsole,chardev=terminal,nr=0)
  fi
  if [[ $monitor ]]; then # QEMU's end listens, the port's end calls it: the guest is joined to its own machine
    arguments+=(-chardev "socket,id=control,path=$scratch/control,server=on,wait=off"
      -object monitor-qmp,id=qmp,chardev=control
      -chardev "socket,id=inside,path=$scratch/control"
      -device virtserialport,chardev=inside,nr=3,name=monitor)
  fi
  rm -f "$scratch/control" "$share/started" "$share/status" "$scratch"/{never,stopped,monitor.in,monitor.out}
  mkfifo "$scratch"/{never,monitor.in,monitor.out}
  # QEMU's file chardev wants a descriptor that is open for writing only, a terminal's is not.
  exec {out}> >(cat)
  out_cat=$!
  exec {err}> >(cat >&2)
  err_cat=$!
  "${qemu[@]}" -nodefaults -no-user-config -no-reboot -display none -M "$board" -m "${memory}G" \
    -kernel "$image" -append "$options panic=-1 ro root=root rootfstype=9p \
rootflags=trans=virtio,version=9p2000.L,cache=loose,msize=512000 $append $init" \
    -serial "file:$share/console" \
    -chardev "pipe,id=monitor,path=$scratch/monitor" -monitor chardev:monitor \
    -virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
    -virtfs "local,path=$share,mount_tag=lab,security_model=none" \
    -device virtio-serial-pci,max_ports=4 \
    -add-fd "fd=$out,set=1" -chardev file,id=out,path=/dev/fdset/1,append=on \
    -device virtserialport,chardev=out,nr=1 \
    -add-fd "fd=$err,set=2" -chardev file,id=err,path=/dev/fdset/2,append=on \
    -device virtserialport,chardev=err,nr=2 \
    "${arguments[@]}" <&0 &
  jobs=($!)
  stop_in_time "$share" "${jobs[0]}" >/dev/null 2>&1 &
  jobs+=($!)
  disown "$!"
  wait "${jobs[0]}" || status=$?
  kill -KILL "${jobs[1]}" 2>/dev/null || true
  exec {out}>&- {err}>&-
  wait "$out_cat" "$err_cat" || true
  jobs=()
  if [[ -e $scratch/stopped ]]; then status=$(<"$scratch/stopped"); fi
  return "$status"
}

# stop_in_time SHARE PID: stops a machine that does not come up or does not come to its end. The interrupt
# makes its kernel panic and tell where it was.
stop_in_time() {
  local started=$1/started never up=120
  ((timeout == 0 || timeout > up)) || up=$timeout
  exec {never}<>"$scratch/never"
  read -rt "$up" -u "$never" || true
  if [[ -e $started ]]; then
    ((timeout > 0)) || return 0
    if ((timeout > up)); then read -rt $((timeout - up)) -u "$never" || true; fi
    echo 124 >"$scratch/stopped"
  elif ((timeout == up)); then
    echo 124 >"$scratch/stopped"
  else
    echo 123 >"$scratch/stopped"
  fi
  echo nmi >"$scratch/monitor.in"
  read -rt 5 -u "$never" || true
  kill -KILL "$2"
}

/**
 * The filter of system calls for commands in the sandbox, as the kernel reads it (classic BPF). Pure. It takes away what no build or script
 * needs and what most escapes begin with: namespaces of one's own, mounts, kernel modules, keys of the kernel, io_uring. Everything else
 * stays allowed; the walls are namespaces and capabilities, this is the second one.
 */

type Machine = { audit: number; clone: number; unshare: number; denied: readonly number[] }

/** The same number on every machine: io_uring_setup, open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr. */
const NEWER = [425, 428, 429, 430, 431, 432, 433, 442]
const CLONE3 = 435
const MACHINES: Record<string, Machine> = {
  x64: {
    audit: 0xc000003e,
    clone: 56,
    unshare: 272,
    // syslog pivot_root chroot acct mount umount2 swapon reboot init_module delete_module quotactl kexec_load add_key request_key keyctl
    // perf_event_open open_by_handle_at setns finit_module kexec_file_load bpf userfaultfd
    denied: [103, 155, 161, 163, 165, 166, 167, 169, 175, 176, 179, 246, 248, 249, 250, 298, 304, 308, 313, 320, 321, 323, ...NEWER],
  },
  arm64: {
    audit: 0xc00000b7,
    clone: 220,
    unshare: 97,
    denied: [116, 41, 51, 89, 40, 39, 224, 142, 105, 106, 60, 104, 217, 218, 219, 241, 265, 268, 273, 294, 280, 282, ...NEWER],
  },
}

const LOAD = 0x20
const EQUAL = 0x15
const AT_LEAST = 0x35
const ANY_BIT = 0x45
const RETURN = 0x06
const CALL_NUMBER = 0
const ARCHITECTURE = 4
const FIRST_ARGUMENT = 16
const ALLOW = 0x7fff0000
const NOT_PERMITTED = 0x00050000 | 1
/** As on an older kernel: the C library then uses `clone`, whose flags can be looked at. */
const UNKNOWN_CALL = 0x00050000 | 38
const CLONE_NEWUSER = 0x10000000
/** Calls of the 32-bit ABI of x64 begin here. */
const X32 = 0x40000000

/** The program for a processor as Node names it (`process.arch`), or null where its numbers are not known here. */
export function seccompFilter(arch: string): Buffer | null {
  const machine = MACHINES[arch]
  if (!machine) return null
  type Step = { code: number; k: number; yes?: Target; no?: Target }
  type Target = 'denied' | 'unknown' | 'flags' | 'allow'
  const steps: Step[] = [
    { code: LOAD, k: ARCHITECTURE },
    { code: EQUAL, k: machine.audit, no: 'unknown' },
    { code: LOAD, k: CALL_NUMBER },
    { code: AT_LEAST, k: X32, yes: 'unknown' },
    { code: EQUAL, k: CLONE3, yes: 'unknown' },
    { code: EQUAL, k: machine.clone, yes: 'flags' },
    { code: EQUAL, k: machine.unshare, yes: 'flags' },
    ...machine.denied.map((k): Step => ({ code: EQUAL, k, yes: 'denied' })),
    { code: RETURN, k: ALLOW },
    { code: LOAD, k: FIRST_ARGUMENT },
    { code: ANY_BIT, k: CLONE_NEWUSER, yes: 'denied' },
    { code: RETURN, k: ALLOW },
    { code: RETURN, k: NOT_PERMITTED },
    { code: RETURN, k: UNKNOWN_CALL },
  ]
  const end = steps.length
  const places: Record<Target, number> = { flags: end - 5, allow: end - 3, denied: end - 2, unknown: end - 1 }
  const program = Buffer.alloc(end * 8)
  steps.forEach((step, i) => {
    const jump = (to: Target | undefined) => (to === undefined ? 0 : places[to] - i - 1)
    program.writeUInt16LE(step.code, i * 8)
    program.writeUInt8(jump(step.yes), i * 8 + 2)
    program.writeUInt8(jump(step.no), i * 8 + 3)
    program.writeUInt32LE(step.k, i * 8 + 4)
  })
  return program
}

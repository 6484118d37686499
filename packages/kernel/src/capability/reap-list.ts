/**
 * Who reaps what: each core's list of objects to end, tell of or finalise, threaded through their
 * headers. The list's owner alone takes from it (see reaper.ts).
 */
import { Attention, BootInfo, CoreArea, CoreState, coreArea, type WordIndex } from "@capos/hal";
import { ringDoorbell } from "../smp/doorbell.js";
import type { Locked } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import { KernelArea, LAST_IN_LIST, ObjectHeader, Reap, Tables } from "../state/layout.js";
import type { CoreId, HeaderRef } from "../state/references.js";

/** Gives a core work on an object, and has it look. One that has left the machine is stood in for by the boot core. */
export function assignReap(k: Locked, header: HeaderRef, work: number, core: CoreId): void {
  const { i32 } = k;
  // Not plainly: the reaper takes out what it has done without the lock.
  Atomics.or(i32, header + ObjectHeader.REAP_WORK, work);
  let to = (i32[header + ObjectHeader.REAP_CORE] - 1) as CoreId;
  if (to < 0) {
    // ABSENT is said under the lock: a core that does not say so takes what is given to it here.
    const gone = Atomics.load(i32, coreArea(k.memory, core) + CoreArea.STATE) === CoreState.ABSENT;
    to = gone ? (i32[BootInfo.BOOT_CORE] as CoreId) : core;
    if ((work & Reap.FINALISE) !== 0) pushLast(k, to, header);
    else pushFirst(k, to, header);
  }
  ringDoorbell(k, to, Attention.POKE);
}

/**
 * Something that an object being reaped waits for has come: its reaper looks again. A core that halts is counted as
 * passed for every grace period and woken for none, so without this it might never look.
 */
export function lookAgain(k: Locked, header: HeaderRef): void {
  const reaper = (k.i32[header + ObjectHeader.REAP_CORE] - 1) as CoreId;
  if (reaper >= 0) ringDoorbell(k, reaper, Attention.POKE);
}

function areaOf(k: Core, core: CoreId): WordIndex {
  return k.i32[k.tables + Tables.KERNEL_AREAS] + core * KernelArea.SIZE;
}

/** Puts a header at the end of a core's list. */
export function pushLast(k: Locked, core: CoreId, header: HeaderRef): void {
  const { i32 } = k;
  const area = areaOf(k, core);
  i32[header + ObjectHeader.REAP_CORE] = core + 1;
  i32[header + ObjectHeader.REAP_NEXT] = LAST_IN_LIST;
  if (i32[area + KernelArea.REAP_HEAD] === 0) Atomics.store(i32, area + KernelArea.REAP_HEAD, header);
  else i32[i32[area + KernelArea.REAP_TAIL] + ObjectHeader.REAP_NEXT] = header;
  i32[area + KernelArea.REAP_TAIL] = header;
}

/** Puts a header at the front: it can be worked on at once. */
export function pushFirst(k: Locked, core: CoreId, header: HeaderRef): void {
  const { i32 } = k;
  const area = areaOf(k, core);
  const head = i32[area + KernelArea.REAP_HEAD];
  i32[header + ObjectHeader.REAP_CORE] = core + 1;
  i32[header + ObjectHeader.REAP_NEXT] = head === 0 ? LAST_IN_LIST : head;
  if (head === 0) i32[area + KernelArea.REAP_TAIL] = header;
  Atomics.store(i32, area + KernelArea.REAP_HEAD, header);
}

/** Takes the first header of this core's list; 0 if it is empty. */
export function popFirst(k: Locked): HeaderRef | 0 {
  const { i32 } = k;
  const header = i32[k.kernelArea + KernelArea.REAP_HEAD] as HeaderRef | 0;
  if (header === 0) return 0;
  const next = i32[header + ObjectHeader.REAP_NEXT];
  Atomics.store(i32, k.kernelArea + KernelArea.REAP_HEAD, next === LAST_IN_LIST ? 0 : next);
  // It stays this core's until the work is done: who gives it more meanwhile, or has news of it, pokes this core.
  return header;
}

/** True for a header in this core's list. */
export function isListed(k: Locked, header: HeaderRef): boolean {
  const { i32 } = k;
  let at = i32[k.kernelArea + KernelArea.REAP_HEAD];
  while (at > 0 && at !== header) at = i32[at + ObjectHeader.REAP_NEXT];
  return at === header;
}

/** Gives this core's whole list to the boot core: it leaves the machine. */
export function handOverReaping(k: Locked): void {
  const boot = k.i32[BootInfo.BOOT_CORE] as CoreId;
  for (let header = popFirst(k); header !== 0; header = popFirst(k)) pushLast(k, boot, header);
  ringDoorbell(k, boot, Attention.POKE);
}

/** Lists that kernel objects are in: badges without descendants, capabilities that expire, monitors, and the work of reapers. */
import { ObjectType, Slot, SlotFlag } from "@capos/abi";
import { BootInfo, type PhysicalMemory, type WordIndex } from "@capos/hal";
import {
  BINDING_KIND,
  Binding,
  Endpoint,
  KernelArea,
  KernelInfo,
  Monitor,
  Process,
  Tables,
  Thread,
} from "@capos/kernel/layout";
import { objectsOf } from "./objects.js";
import type { Problems } from "./problems.js";
import { describe, hex, numberedThreads, type Tree } from "./tree.js";

const NO_SENDERS = "badges without descendants are in their endpoint's list, and no others";
const WHEEL = "capabilities that expire are in the kernel's wheel, and no others";
const WATCHED = "a monitor is in the list of what it watches";
const DONE = "nothing is left to be reaped or swept when all is at rest";

export function checkLists(memory: PhysicalMemory, tree: Tree, problems: Problems): void {
  checkOrphans(memory, tree, problems);
  checkExpiring(memory, tree, problems);
  checkMonitors(memory, tree, problems);
  const { i32 } = memory;
  const areas = i32[i32[KernelInfo.TABLES] + Tables.KERNEL_AREAS];
  for (let core = 0; core < i32[BootInfo.CORES]; core++) {
    const area = areas + core * KernelArea.SIZE;
    if (i32[area + KernelArea.REAP_HEAD] !== 0)
      problems.add(DONE, `core ${core} has ${hex(i32[area + KernelArea.REAP_HEAD])} to reap`);
    if (i32[area + KernelArea.SWEEP_HEAD] !== 0)
      problems.add(DONE, `core ${core} has ${hex(i32[area + KernelArea.SWEEP_HEAD])} to sweep`);
  }
}

function checkOrphans({ i32 }: PhysicalMemory, tree: Tree, problems: Problems): void {
  const listed = new Set<WordIndex>();
  for (const endpoint of objectsOf(tree, ObjectType.ENDPOINT).keys()) {
    let previous = 0;
    for (let slot = i32[endpoint + Endpoint.NO_SENDERS]; slot !== 0; slot = i32[slot + Slot.LINK]) {
      const node = tree.get(slot);
      if (node === undefined || listed.has(slot) || node.object !== endpoint) {
        problems.add(NO_SENDERS, `the endpoint ${hex(endpoint)} lists the slot at ${hex(slot)}`);
        break;
      }
      listed.add(slot);
      if ((node.word & SlotFlag.NO_SENDERS) === 0 || i32[slot + Slot.WATERMARK] !== previous)
        problems.add(NO_SENDERS, `${describe(node)} is listed and does not know it`);
      previous = slot;
    }
  }
  for (const node of tree.values())
    if ((node.word & SlotFlag.NO_SENDERS) !== 0 && !listed.has(node.slot))
      problems.add(NO_SENDERS, `${describe(node)} is not`);
}

function checkExpiring({ i32 }: PhysicalMemory, tree: Tree, problems: Problems): void {
  const tables = i32[KernelInfo.TABLES];
  let timed = 0;
  for (const node of tree.values()) if ((node.word & SlotFlag.TIMED) !== 0) timed++;
  const said = i32[tables + Tables.EXPIRING];
  if (said !== timed) problems.add(WHEEL, `it holds ${said}, there are ${timed}`);
}

function checkMonitors(memory: PhysicalMemory, tree: Tree, problems: Problems): void {
  const { i32 } = memory;
  const listed = new Set<WordIndex>();
  const follow = (first: WordIndex, target: WordIndex): void => {
    let previous = 0;
    for (let monitor = first; monitor !== 0; monitor = i32[monitor + Monitor.NEXT]) {
      const watches = i32[monitor + Monitor.TARGET + Slot.OBJECT] === target;
      if (listed.has(monitor) || !watches || i32[monitor + Monitor.PREVIOUS] !== previous) {
        problems.add(WATCHED, `the monitor ${hex(monitor)} in the list of ${hex(target)}`);
        return;
      }
      listed.add(monitor);
      previous = monitor;
    }
  };
  for (const process of objectsOf(tree, ObjectType.PROCESS).keys())
    follow(i32[process + Process.MONITORS], process);
  for (const { thread } of numberedThreads(memory)) follow(i32[thread + Thread.MONITORS], thread);
  for (const node of tree.values()) {
    const isBinding = (node.word & SlotFlag.BINDING) !== 0;
    const isTarget = isBinding && i32[node.slot + BINDING_KIND] === Binding.MONITOR_TARGET;
    if (isTarget && !listed.has(node.slot - Monitor.TARGET))
      problems.add(WATCHED, `${describe(node)} is not`);
  }
}

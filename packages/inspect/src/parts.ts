/**
 * A state as people read it: titled parts with columns and rows, in words. How they are laid out is
 * somebody else's business: a panic writes lines, the command line tables.
 */
import { Right } from "@capos/abi";
import { DEFAULT_LIMITS, type Limits, type Part, part } from "./part.js";
import { address, bytes, flagText, placeText, sizeText } from "./phrases.js";
import { queueParts } from "./queue-parts.js";
import {
  type CapabilityInfo,
  type CoreInfo,
  type MachineState,
  type MappingInfo,
  type MemoryOwner,
  type ProcessInfo,
  SECTIONS,
  type SectionName,
  type SpaceInfo,
  type ThreadInfo,
} from "./state.js";
import { treeLines } from "./tree-lines.js";

/** What there is to show of the sections that a state has. */
export function partsOf(state: Partial<MachineState>, limits: Limits = DEFAULT_LIMITS): Part[] {
  const makers: { readonly [Name in SectionName]: (value: MachineState[Name]) => Part[] } = {
    cores: (cores) => [part("cores", "cores", CORE_COLUMNS, cores.map(coreRow), limits)],
    processes: (list) => [part("processes", "processes", PROCESS_COLUMNS, list.map(processRow), limits)],
    threads: (threads) => [part("threads", "threads", THREAD_COLUMNS, threads.map(threadRow), limits)],
    cspaces: (spaces) =>
      spaces.map(({ holder, processes, address: at, slots, live, dead, reserved, capabilities }) =>
        part(
          "cspaces",
          `${processes.length > 0 ? `CSpace of ${holder}` : holder}: ${slots} slots at ${address(at)}, ` +
            `${live} live, ${dead} dead, ${reserved} reserved`,
          SLOT_COLUMNS,
          capabilities.map(slotRow),
          limits,
        ),
      ),
    tree: (tree) => [
      {
        section: "tree",
        title: `derivation tree: ${tree.nodes.length} slots${tree.complete ? "" : " and more that were not read"}`,
        columns: [],
        ...treeLines(tree.nodes, limits),
      },
    ],
    queues: (queues) => queueParts(queues, limits),
    memory: (memory) => [
      part(
        "memory",
        `memory: ${bytes(memory.freeBytes)} free in untyped, kernel tables ${bytes(memory.kernelBytes)}, ` +
          `${memory.images} images ${bytes(memory.imageBytes)}`,
        OWNER_COLUMNS,
        memory.owners.map(ownerRow),
        limits,
      ),
      part(
        "memory",
        "memory map",
        ["memory", "size", "for"],
        memory.regions.map(({ name, address: at, bytes: size }) => [address(at), bytes(size), name]),
        limits,
      ),
      ...memory.spaces.map((space) =>
        part("memory", spaceTitle(space), MAPPING_COLUMNS, space.mappings.map(mappingRow), limits),
      ),
    ],
  };
  return SECTIONS.flatMap((name) => {
    const value = state[name];
    return value === undefined ? [] : (makers[name] as (value: unknown) => Part[])(value);
  });
}

function spaceTitle({ identifier, address: at, processes, cores, tables, complete }: SpaceInfo): string {
  const users = processes.length > 0 ? processes.join(", ") : "no process";
  const used = cores.length > 0 ? `used on core ${cores.join(", ")}` : "not used yet";
  return (
    `address space ${identifier} of ${users}: at ${address(at)}, ${tables} tables, ${used}` +
    (complete ? "" : ", and more that was not read")
  );
}

const MAPPING_COLUMNS = Object.freeze([
  "address",
  "size",
  "rights",
  "pages of",
  "accessed",
  "dirty",
  "memory",
]);

function mappingRow(mapping: MappingInfo): string[] {
  const { address: at, bytes: size, rights, pageBytes, accessedPages, dirtyPages, physical } = mapping;
  const letters = [Right.READ, Right.WRITE, Right.EXECUTE].map((right, i) =>
    (rights & right) !== 0 ? "rwx"[i] : "-",
  );
  return [
    ...[address(at), bytes(size), letters.join(""), bytes(pageBytes)],
    ...[String(accessedPages), String(dirtyPages), address(physical)],
  ];
}

const CORE_COLUMNS = Object.freeze([
  ...["core", "state", "attention", "thread", "ready", "last trap", "safe points", "switches", "halts"],
  ...["in", "out", "bounces", "interrupts", "grace period", "awaits", "incarnation", ""],
]);

function coreRow(core: CoreInfo): string[] {
  const rings = core.ringBits === 0 ? [] : [`rings ${core.ringBits.toString(2)}`];
  return [
    String(core.core),
    core.stateName,
    [...core.attention, ...rings].join(" ") || "-",
    core.thread === null ? "-" : String(core.thread),
    ...[core.ready, core.lastTrap, core.safePoints, core.switches, core.halts].map(String),
    ...[core.messagesIn, core.messagesOut, core.bounces, core.interrupts, core.gracePassed].map(String),
    core.graceAwaited === null ? "" : String(core.graceAwaited),
    String(core.incarnation),
    core.inCommit ? "IN A COMMIT" : "",
  ];
}

const PROCESS_COLUMNS = Object.freeze([
  ...["process", "name", "life", "status", "CSpace", "slots", "threads", "quota left", "ceiling"],
  ...["cleaning", "made by", "references", "monitors", "fault"],
]);

function processRow(process: ProcessInfo): string[] {
  return [
    String(process.number),
    process.name,
    process.life,
    String(process.status),
    process.cspace === null ? "-" : address(process.cspace),
    ...[process.cspaceSlots, process.threads, process.threadsLeft, process.ceiling].map(String),
    process.cleaning === "none" ? "" : process.cleaning,
    process.maker === null ? "" : String(process.maker),
    String(process.references),
    process.monitors === 0 ? "" : String(process.monitors),
    process.fault,
  ];
}

const THREAD_COLUMNS = Object.freeze([
  ...["thread", "of", "core", "priority", "life", "state", "waits", "owes a reply to", "bound to"],
  ...["references", "monitors"],
]);

function threadRow(thread: ThreadInfo): string[] {
  return [
    thread.number === 0 ? address(thread.address) : String(thread.number),
    thread.process === null ? "-" : `${thread.process} ${thread.processName}`,
    String(thread.core),
    String(thread.priority),
    thread.life,
    thread.state,
    waitText(thread),
    thread.owesReplyTo === null ? "" : `thread ${thread.owesReplyTo}`,
    thread.boundNotification === null ? "" : `notification ${address(thread.boundNotification)}`,
    String(thread.references),
    thread.monitors === 0 ? "" : String(thread.monitors),
  ];
}

function waitText({ waits }: ThreadInfo): string {
  if (waits === null) return "";
  const words: string[] = [];
  if (waits.as !== "-") words.push(`as ${waits.as}`);
  if (waits.at !== "") words.push(waits.object === null ? `for ${waits.at}` : `at ${waits.at}`);
  if (waits.through !== null)
    words.push(`through ${placeText(waits.through)}${waits.throughHolds ? "" : " (dead)"}`);
  if (waits.askedCore !== null) words.push(`asked core ${waits.askedCore}`);
  if (waits.gracePeriod !== null) words.push(`for grace period ${waits.gracePeriod}`);
  return words.join(" ");
}

const SLOT_COLUMNS = Object.freeze(["slot", "capability", "rights", "badge", "", "size", "object"]);

function slotRow(capability: CapabilityInfo): string[] {
  return [
    String(capability.place.index),
    capability.designates,
    capability.rights,
    capability.badge === 0 ? "" : String(capability.badge),
    flagText(capability),
    sizeText(capability),
    capability.object === null ? "" : address(capability.object),
  ];
}

const OWNER_COLUMNS = Object.freeze(["owner", "name", "untyped held", "used", "free", "objects made", ""]);

function ownerRow(owner: MemoryOwner): string[] {
  const objects = Object.entries(owner.objects).map(([type, count]) => `${count} ${type}`);
  return [
    owner.process === null ? "-" : String(owner.process),
    owner.owner,
    ...[owner.untypedBytes, owner.usedBytes, owner.freeBytes, owner.objectBytes].map(bytes),
    objects.join(", "),
  ];
}

/**
 * What kernel objects answer, declared once: `call` on a capability to one, with the method's number in word 0.
 *
 * Everything else that knows a method comes from here: `npm run methods` writes the numbers (method.ts), the kernel's
 * checks of arguments, the library's stubs and the table in docs/abi.md. See docs/abi.md for the rules that all
 * methods share.
 */
import { Right } from "./capability.js";
import { Err } from "./errors.js";
import {
  BYTES_PER_WORD,
  MAX_FRAME_BITS,
  MAX_MESSAGE_WORDS,
  MAX_NAME_BYTES,
  MAX_RETYPE_COUNT,
  MAX_SAMPLED_PAGES,
  PAGE_BITS,
  PRIORITIES,
  USER_END,
} from "./limits.js";
import {
  bytes,
  capability,
  frozen,
  handle,
  integer,
  judged,
  long,
  type MethodDeclaration,
  number,
  type ObjectDeclaration,
  rights,
  slot,
  text,
  words,
} from "./method-vocabulary.js";
import { ObjectType } from "./object-type.js";

export type {
  Answer,
  Argument,
  Bound,
  MethodDeclaration,
  ObjectDeclaration,
  Quantity,
} from "./method-vocabulary.js";

/** Bytes that fit behind a method and a length, and behind a length alone. */
const PAYLOAD_BYTES = (MAX_MESSAGE_WORDS - 2) * BYTES_PER_WORD;

const MAX_BADGE = 0xffff_ffff;
const MAX_INTEGER = 0x7fff_ffff;

const ADDRESS = long("address", 0, USER_END - 1);
const MEMORY = capability("memory", [ObjectType.ADDRESS_SPACE], Right.MAP);
const MAX_OFFSET = 2 ** MAX_FRAME_BITS - 1;
const NO_TABLE = [Err.NO_TABLE, "a page table is missing (word 0: its level, 3 to 1)"] as const;
const NO_SPACES = [Err.NO_RESOURCE, "as many address spaces as there can be have mappings"] as const;

const NEW_HANDLE = { kind: "handle", name: "handle", note: "of the new capability in that CNode" } as const;
const SEALED_SOURCE = [Err.SEALED, "the source is sealed"] as const;
const IS_MOVED = [Err.UNSUPPORTED, "the source is an Untyped or a Reply"] as const;
const OCCUPIED = [Err.SLOT_OCCUPIED, "the slot is not empty"] as const;

const untyped: readonly MethodDeclaration[] = [
  {
    name: "retype",
    number: 0x10,
    right: Right.WRITE,
    arguments: [
      judged("type", { type: "ObjectType" }),
      judged("sizeBits", { note: "log2 of the bytes (untyped) or slots (CNode), 0 for objects of one size" }),
      integer("count", 1, MAX_RETYPE_COUNT),
      capability("into", [ObjectType.CNODE], Right.WRITE),
      slot("first", "into"),
    ],
    answers: [],
    errors: [
      [Err.BAD_TYPE, "the type cannot be made"],
      [Err.RANGE, "the size or the window is out of range"],
      [Err.SLOT_OCCUPIED, "a slot of the window is not empty"],
      [Err.NO_MEMORY, "the memory does not suffice (word 0: bytes left)"],
    ],
    says: "Makes `count` objects in consecutive empty slots of a CNode, from slot `first` on. Their handles are not said: see CNode INSPECT.",
  },
  {
    name: "info",
    number: 0x11,
    right: 0,
    arguments: [],
    answers: [
      { kind: "number", name: "sizeBytes" },
      { kind: "number", name: "leftBytes" },
    ],
    answerType: "UntypedInfo",
    errors: [],
    says: "Size and what is left of it, in bytes: all, if nothing made from it is left.",
    what: "untyped info",
  },
];

const cnode: readonly MethodDeclaration[] = [
  {
    name: "copy",
    number: 0x20,
    right: Right.WRITE,
    arguments: [slot("slot"), handle("source"), rights("rights")],
    answers: [NEW_HANDLE],
    errors: [OCCUPIED, IS_MOVED],
    says: "Copies a capability of the invoker's into a slot of the CNode, with at most these rights.",
  },
  {
    name: "mint",
    number: 0x21,
    right: Right.WRITE,
    arguments: [slot("slot"), handle("source"), rights("rights"), long("badge", 1, MAX_BADGE)],
    answers: [NEW_HANDLE],
    errors: [OCCUPIED, IS_MOVED, SEALED_SOURCE, [Err.DENIED, "the source has a badge"]],
    says: "Copies with a badge, which receivers learn from each message.",
  },
  {
    name: "delete",
    number: 0x22,
    right: Right.WRITE,
    arguments: [slot("slot")],
    answers: [],
    errors: [],
    says: "Empties a slot, if it is not empty already. What was derived from its capability stays. The last capability of a thread or process takes it along, and the answer comes when that has stopped.",
  },
  {
    name: "inspect",
    number: 0x23,
    right: Right.READ,
    arguments: [slot("slot")],
    answers: [
      { kind: "number", name: "type", type: "ObjectType" },
      { kind: "number", name: "rights", note: "a set of `Right`" },
      { kind: "number", name: "badge" },
      { kind: "number", name: "state", note: "one of `SlotState`" },
      { kind: "number", name: "sizeBits" },
      { kind: "handle", name: "handle" },
      { kind: "number", name: "flags", note: "a set of `SlotFlag`" },
      { kind: "orNever", name: "expiresInNs", note: "until it is dead, in whole milliseconds" },
    ],
    answerType: "SlotInfo",
    errors: [],
    says: "What a slot holds. Of one that is not live: its state and handle.",
  },
  {
    name: "move",
    number: 0x24,
    right: Right.WRITE,
    arguments: [slot("slot"), handle("source")],
    answers: [NEW_HANDLE],
    errors: [OCCUPIED],
    says: "Moves a capability of the invoker's into a slot of the CNode. What was derived from it stays derived from it.",
  },
  {
    name: "revoke",
    number: 0x25,
    right: Right.WRITE,
    arguments: [handle("root", "of a capability in this CNode, with REVOKE")],
    answers: [],
    errors: [
      [Err.BAD_CAP, "it names none in this CNode"],
      [Err.DENIED, "that has not REVOKE"],
    ],
    says: "Ends everything that was derived from a capability in the CNode, on every core, and answers when nothing can be done through any of it any more. The capability itself stays.",
  },
  {
    name: "seal",
    number: 0x26,
    right: Right.WRITE,
    arguments: [slot("slot"), handle("source"), capability("sealer", [ObjectType.SEALER], Right.WRITE)],
    answers: [NEW_HANDLE],
    errors: [OCCUPIED, IS_MOVED, SEALED_SOURCE],
    says: "A sealed copy: it can be carried, not used, until the holder of the same sealer opens it.",
  },
  {
    name: "unseal",
    number: 0x27,
    right: Right.WRITE,
    arguments: [slot("slot"), handle("source"), capability("sealer", [ObjectType.SEALER], Right.READ)],
    answers: [NEW_HANDLE],
    errors: [OCCUPIED, [Err.BAD_TYPE, "the source is not sealed"], [Err.DENIED, "another sealer closed it"]],
    says: "An open copy of a sealed capability.",
  },
  {
    name: "expire",
    number: 0x28,
    right: Right.WRITE,
    arguments: [
      slot("slot"),
      handle("source"),
      rights("rights"),
      long("forNs", 1, Number.MAX_SAFE_INTEGER, "nanoseconds from now"),
    ],
    answers: [NEW_HANDLE],
    errors: [OCCUPIED, IS_MOVED],
    says: "A copy with at most these rights that is dead by then, and all its copies with it. Time goes in steps of a millisecond here: one that is given less is dead at once.",
  },
];

const process: readonly MethodDeclaration[] = [
  {
    name: "configure",
    number: 0x30,
    right: Right.WRITE,
    arguments: [
      capability("space", [ObjectType.CNODE], Right.WRITE),
      capability("image", [ObjectType.IMAGE], Right.EXECUTE),
      text("name", MAX_NAME_BYTES, { longer: "refused" }),
      integer("threads", 0, MAX_INTEGER, { told: "threadsLeft", note: "of the invoker's thread numbers" }),
    ],
    answers: [],
    errors: [
      [Err.BUSY, "it is not new"],
      [Err.NO_RESOURCE, "the invoker's process has not so many numbers (word 0: how many are left)"],
    ],
    says: "Gives the process its CSpace, its image, a name, and some of the invoker's thread numbers, which the invoker has back when the process is gone.",
    what: "configure process",
  },
  {
    name: "verify",
    number: 0x31,
    right: Right.READ,
    arguments: [capability("held", [], 0), rights("rights")],
    answers: [{ kind: "flag", name: "held" }],
    errors: [],
    says: "Whether the process holds a capability to the object that one of the invoker's names, with these rights and the same badge.",
  },
  {
    name: "status",
    number: 0x32,
    right: Right.READ,
    arguments: [],
    answers: [
      { kind: "number", name: "state", type: "LifeState" },
      { kind: "number", name: "status", note: "its exit status" },
      { kind: "number", name: "line", note: "where in its source a faulted process stood" },
      { kind: "number", name: "column" },
      { kind: "text", name: "fault", note: "what the fault said" },
    ],
    answerType: "ProcessStatus",
    errors: [],
    says: "How a process stands, or how it ended.",
    what: "process status",
  },
  {
    name: "kill",
    number: 0x33,
    right: Right.WRITE,
    arguments: [],
    answers: [],
    errors: [],
    says: "Ends the process and answers when it is gone: its threads, all that was made from its own untyped memory, wherever it is, and what it held. What it passed on stays.",
    what: "kill process",
  },
  {
    name: "ceiling",
    number: 0x34,
    right: Right.WRITE,
    arguments: [integer("priority", 0, "ownCeiling")],
    answers: [],
    errors: [],
    says: "From now on its threads give no priority above this one. It only comes down; a process starts with its maker's.",
  },
  {
    name: "callers",
    number: 0x35,
    right: Right.READ,
    arguments: [],
    answers: [
      {
        kind: "bytes",
        name: "places",
        note: "line and column of each, as integers of 32 bits, the least byte first",
      },
    ],
    errors: [],
    says: "Where in its source the callers stood of what faulted in the process, the innermost first, up to 15.",
    what: "process callers",
  },
  {
    name: "number",
    number: 0x36,
    right: Right.READ,
    arguments: [],
    answers: [{ kind: "number", name: "number" }],
    errors: [],
    says: "By which number people know the process; no other process of the machine ever has it.",
    what: "process number",
  },
  {
    name: "use",
    number: 0x37,
    right: Right.WRITE,
    arguments: [MEMORY],
    answers: [],
    errors: [[Err.BUSY, "it has an address space, or has ended"], NO_SPACES],
    says: "Gives the process its address space, for as long as the capability lasts: what its threads' loads and stores name.",
    what: "use address space",
  },
  {
    name: "faults",
    number: 0x38,
    right: Right.WRITE,
    arguments: [capability("handler", [ObjectType.ENDPOINT], Right.SEND)],
    answers: [],
    errors: [[Err.BUSY, "it has a handler, or has ended"]],
    says: "Has the process's page faults go to an endpoint, for as long as the capability lasts: see `FaultWord` for the message. An answer whose first word is 0 has the guest try again.",
    what: "fault handler",
  },
];

const frame: readonly MethodDeclaration[] = [
  {
    name: "map",
    number: 0x90,
    right: Right.MAP,
    arguments: [MEMORY, ADDRESS, rights("rights")],
    answers: [],
    errors: [
      [Err.DENIED, "the frame's capability lacks one of these rights"],
      [
        Err.RANGE,
        "the address is not a multiple of the frame's size, is page 0, or the rights are not READ, READ and WRITE, or READ and EXECUTE",
      ],
      [Err.BUSY, "the capability has a mapping"],
      [Err.MAPPED, "something is mapped there"],
      NO_TABLE,
      NO_SPACES,
    ],
    says: "Maps the frame in an address space, with the largest pages that fit. The mapping is the capability's: it goes where that goes, and ends with it. A copy can be mapped elsewhere.",
    what: "map frame",
  },
  {
    name: "unmap",
    number: 0x91,
    right: Right.MAP,
    arguments: [],
    answers: [],
    errors: [],
    says: "Ends the mapping, if there is one, and answers when no core uses it any more.",
    what: "unmap frame",
  },
  {
    name: "protect",
    number: 0x92,
    right: Right.MAP,
    arguments: [rights("rights")],
    answers: [],
    errors: [
      [Err.DENIED, "the capability lacks one of these rights"],
      [Err.RANGE, "the rights are not READ, READ and WRITE, or READ and EXECUTE"],
      [Err.NOT_FOUND, "it is not mapped"],
    ],
    says: "Changes what the mapping allows. If that is less, answers when no core has more.",
    what: "protect frame",
  },
  {
    name: "info",
    number: 0x93,
    right: 0,
    arguments: [],
    answers: [
      { kind: "number", name: "sizeBits" },
      { kind: "number", name: "rights", note: "of the mapping, a set of `Right`; 0 if it is not mapped" },
      { kind: "orNever", name: "address" },
    ],
    answerType: "FrameInfo",
    errors: [],
    says: "The frame's size, and where it is mapped.",
    what: "frame info",
  },
  {
    name: "part",
    number: 0x94,
    right: Right.GRANT,
    arguments: [
      capability("into", [ObjectType.CNODE], Right.WRITE),
      slot("slot", "into"),
      integer("sizeBits", PAGE_BITS, MAX_FRAME_BITS),
      long("offset", 0, MAX_OFFSET),
    ],
    answers: [NEW_HANDLE],
    errors: [OCCUPIED, [Err.RANGE, "the part does not lie in the frame, or not at a multiple of its size"]],
    says: "Derives a capability to a part of the frame.",
    what: "part of frame",
  },
  {
    name: "zero",
    number: 0x95,
    right: Right.WRITE,
    arguments: [],
    answers: [],
    errors: [],
    says: "Fills the frame with zeros.",
    what: "zero frame",
  },
  {
    name: "copy",
    number: 0x96,
    right: Right.WRITE,
    arguments: [capability("from", [ObjectType.FRAME], Right.READ)],
    answers: [],
    errors: [[Err.RANGE, "the frames have not the same size"]],
    says: "Copies the contents of another frame of the same size into this one.",
    what: "copy frame",
  },
];

const pageTable: readonly MethodDeclaration[] = [
  {
    name: "map",
    number: 0x98,
    right: Right.MAP,
    arguments: [MEMORY, ADDRESS],
    answers: [{ kind: "number", name: "level", note: "3, 2 or 1: of 512 GiB, 1 GiB or 2 MiB" }],
    errors: [
      [Err.BUSY, "the table has a place, or something is left in it"],
      [Err.MAPPED, "no table is missing there"],
      NO_SPACES,
    ],
    says: "Puts the table where one is missing for an address, the highest level first.",
    what: "map page table",
  },
  {
    name: "unmap",
    number: 0x99,
    right: Right.MAP,
    arguments: [],
    answers: [],
    errors: [],
    says: "Takes the table from its place, and all that is mapped through it; answers when no core uses any of that. It can be put somewhere again when it is empty: the mappings that are gone have to be unmapped.",
    what: "unmap page table",
  },
];

const addressSpace: readonly MethodDeclaration[] = [
  {
    name: "query",
    number: 0xa0,
    right: Right.READ,
    arguments: [ADDRESS],
    answers: [
      { kind: "number", name: "rights", note: "a set of `Right`; 0 if nothing is mapped" },
      {
        kind: "number",
        name: "pageBits",
        note: "log2 of the page's bytes; of the region without a table, if nothing is mapped",
      },
      { kind: "flag", name: "accessed" },
      { kind: "flag", name: "dirty" },
    ],
    answerType: "PageInfo",
    errors: [],
    says: "What is mapped at an address.",
    what: "query page",
  },
  {
    name: "sample",
    number: 0xa1,
    right: Right.WRITE,
    arguments: [ADDRESS, integer("count", 1, MAX_SAMPLED_PAGES), integer("clear", 0, 1)],
    answers: [
      {
        kind: "number",
        name: "accessedLow",
        note: "a bit for each of the first 32 pages, from the address on",
      },
      { kind: "number", name: "accessedHigh" },
      { kind: "number", name: "dirtyLow" },
      { kind: "number", name: "dirtyHigh" },
    ],
    answerType: "PageSample",
    errors: [],
    says: "Which of up to 64 pages were read and written since these bits were cleared last, and clears them, if told, before it answers: what is written after that is marked anew.",
    what: "sample pages",
  },
];

const thread: readonly MethodDeclaration[] = [
  {
    name: "configure",
    number: 0x40,
    right: Right.WRITE,
    arguments: [
      capability("process", [ObjectType.PROCESS], Right.WRITE),
      integer("core", 0, "lastCore"),
      integer("priority", 0, "ceiling"),
    ],
    answers: [],
    errors: [
      [Err.NOT_FOUND, "the core is not in the machine"],
      [Err.BUSY, "it is not new, or the process does not run"],
      [Err.NO_RESOURCE, "the process has no thread number left"],
    ],
    says: `Puts a thread into a process, on a core, with a priority from 0 to ${PRIORITIES - 1}.`,
    what: "configure thread",
  },
  {
    name: "start",
    number: 0x41,
    right: Right.WRITE,
    arguments: [words("startWords", MAX_MESSAGE_WORDS - 1, "for its register file")],
    answers: [],
    errors: [[Err.BUSY, "it is not configured, or was started"]],
    says: "Starts the thread; its `main` finds the words in its register file.",
  },
  {
    name: "destroy",
    number: 0x42,
    right: Right.WRITE,
    arguments: [],
    answers: [],
    errors: [],
    says: "Ends the thread, whatever it does, on whatever core, and answers when it has stopped.",
    what: "destroy thread",
  },
  {
    name: "bind",
    number: 0x43,
    right: Right.WRITE,
    arguments: [capability("notification", [ObjectType.NOTIFICATION], Right.RECEIVE)],
    answers: [],
    errors: [
      [Err.BUSY, "one of them is bound, the thread has no home, or somebody waits for the notification"],
    ],
    says: "Binds a notification: it ends the thread's waits for messages too.",
    what: "bind notification",
  },
  {
    name: "priority",
    number: 0x44,
    right: Right.WRITE,
    arguments: [integer("priority", 0, "ceiling")],
    answers: [],
    errors: [[Err.BUSY, "it has no home"]],
    says: "Sets the priority. One who waits in a queue, or for the core, goes to the end of that priority, and the answer comes when it stands there.",
    what: "set priority",
  },
  {
    name: "status",
    number: 0x45,
    right: Right.READ,
    arguments: [],
    answers: [
      { kind: "number", name: "state", type: "LifeState" },
      { kind: "number", name: "ipcState", note: "what it waits for, as the kernel numbers it" },
      { kind: "number", name: "core" },
      { kind: "number", name: "priority" },
      { kind: "number", name: "exitReason", note: "its exit status" },
    ],
    answerType: "ThreadStatus",
    errors: [],
    says: "How a thread stands.",
    what: "thread status",
  },
];

const monitor: readonly MethodDeclaration[] = [
  {
    name: "watch",
    number: 0x48,
    right: Right.WRITE,
    arguments: [
      capability("target", [ObjectType.PROCESS, ObjectType.THREAD], Right.READ),
      capability("notification", [ObjectType.NOTIFICATION], Right.SEND),
    ],
    answers: [],
    errors: [[Err.BUSY, "it watches"]],
    says: "Has the notification signalled, with the badge of its capability, when the target has ended, at once if it has. Once; then it can watch another.",
    what: "monitor",
  },
  {
    name: "status",
    number: 0x49,
    right: Right.READ,
    arguments: [],
    answers: [
      { kind: "flag", name: "ended", note: "the watch is over" },
      { kind: "number", name: "state", type: "LifeState" },
      { kind: "number", name: "status" },
      { kind: "number", name: "line" },
      { kind: "number", name: "column" },
    ],
    answerType: "MonitorStatus",
    errors: [],
    says: "How the target ended; as running, if the capability it was watched by was taken back.",
    what: "monitor status",
  },
];

const irq: readonly MethodDeclaration[] = [
  {
    name: "bind",
    number: 0x50,
    right: Right.WRITE,
    arguments: [capability("notification", [ObjectType.NOTIFICATION], Right.SEND)],
    answers: [],
    errors: [],
    says: "Has the interrupt signal a notification from now on, in place of the one before. Nothing has to be acknowledged.",
    what: "bind interrupt",
  },
];

const port: readonly MethodDeclaration[] = [
  {
    name: "write",
    number: 0x60,
    right: Right.WRITE,
    arguments: [bytes("bytes", PAYLOAD_BYTES)],
    answers: [{ kind: "number", name: "taken", note: "how many bytes the device took" }],
    errors: [],
    says: "Writes bytes. The device may take fewer.",
    what: "write port",
  },
  {
    name: "read",
    number: 0x61,
    right: Right.READ,
    arguments: [],
    answers: [{ kind: "bytes", name: "bytes", note: "-1, or null in the library, at the end of the input" }],
    errors: [],
    says: "Takes the bytes that have come, none if none have.",
    what: "read port",
  },
];

const debug: readonly MethodDeclaration[] = [
  {
    name: "clock",
    number: 0x70,
    right: 0,
    arguments: [],
    answers: [{ kind: "number", name: "nowNs" }],
    errors: [],
    says: "The machine's clock, in nanoseconds.",
  },
  {
    name: "heap",
    number: 0x71,
    right: 0,
    arguments: [],
    answers: [{ kind: "number", name: "usedBytes" }],
    errors: [],
    says: "Bytes in use on this core's JavaScript heap.",
  },
  {
    name: "print",
    number: 0x72,
    right: 0,
    arguments: [text("text", PAYLOAD_BYTES, { longer: "split", lenient: true })],
    answers: [],
    errors: [],
    says: "Writes a text to the kernel's own log, a longer one as several records.",
  },
  {
    name: "halt",
    number: 0x73,
    right: 0,
    arguments: [integer("status", 0, 255)],
    answers: [],
    errors: [],
    says: "Stops the machine; its process exits with the status.",
  },
  {
    name: "machine",
    number: 0x74,
    right: 0,
    arguments: [],
    answers: [
      { kind: "number", name: "cores" },
      { kind: "number", name: "hardwareThreads" },
      { kind: "number", name: "memoryMiB" },
      { kind: "number", name: "core", note: "the one that the invoker runs on" },
      { kind: "number", name: "seed" },
    ],
    answerType: "Machine",
    errors: [],
    says: "What the machine is made of.",
  },
  {
    name: "gracePeriod",
    number: 0x75,
    right: 0,
    arguments: [],
    answers: [{ kind: "number", name: "number" }],
    errors: [],
    says: "Blocks until one grace period has passed; answers its number.",
    what: "grace period",
  },
  {
    name: "panic",
    number: 0x76,
    right: 0,
    arguments: [text("text", PAYLOAD_BYTES, { longer: "cut", lenient: true })],
    answers: [],
    errors: [],
    says: "Stops the machine with a dump.",
  },
  {
    name: "core",
    number: 0x77,
    right: 0,
    arguments: [integer("core", 0, "lastCore")],
    answers: [
      { kind: "number", name: "traps", note: "safe points" },
      { kind: "number", name: "contextSwitches" },
      { kind: "number", name: "gracePeriods" },
      { kind: "number", name: "halts" },
      { kind: "number", name: "messagesIn" },
      { kind: "number", name: "messagesOut" },
      { kind: "number", name: "bounces" },
      { kind: "number", name: "incarnation" },
    ],
    answerType: "CoreCounters",
    errors: [],
    says: "What one core has done since the machine started.",
    what: "core counters",
  },
  {
    name: "record",
    number: 0x78,
    right: 0,
    arguments: [number("startNs"), number("kind"), number("object"), number("a"), number("b"), number("c")],
    answers: [],
    errors: [[Err.WOULD_BLOCK, "the history is full"]],
    says: "Appends an event to this core's history: the times and the thread are added.",
  },
  {
    name: "history",
    number: 0x79,
    right: 0,
    arguments: [integer("core", 0, "lastCore")],
    answers: [
      { kind: "number", name: "startNs" },
      { kind: "number", name: "endNs" },
      { kind: "number", name: "thread", note: "its number times 64, plus its core" },
      { kind: "number", name: "kind" },
      { kind: "number", name: "object" },
      { kind: "number", name: "a" },
      { kind: "number", name: "b" },
      { kind: "number", name: "c" },
    ],
    answerType: "HistoryEvent",
    errors: [[Err.WOULD_BLOCK, "there is none"]],
    says: "Takes the oldest event of a core's history: see `HistoryWord`.",
  },
  {
    name: "dump",
    number: 0x7a,
    right: 0,
    arguments: [],
    answers: [],
    errors: [],
    says: "Prints the dump of the whole machine on the kernel's own line.",
  },
];

const imageControl: readonly MethodDeclaration[] = [
  {
    name: "take",
    number: 0x80,
    right: Right.WRITE,
    arguments: [
      integer("number", 0, MAX_INTEGER, { error: Err.NOT_FOUND, note: "by which the host knows the image" }),
      capability("into", [ObjectType.CNODE], Right.WRITE),
      slot("slot", "into"),
    ],
    answers: [NEW_HANDLE],
    errors: [
      OCCUPIED,
      [Err.NOT_FOUND, "no image with this number is loaded"],
      [Err.UNSUPPORTED, "no core runs images of its kind"],
    ],
    says: "Puts a capability to an image that the host has loaded into a slot. It is derived from the one to the store.",
    what: "take image",
  },
];

/** Every kernel object that can be invoked, with its methods. */
export const METHODS: readonly ObjectDeclaration[] = frozen([
  {
    name: "untyped",
    title: "Untyped",
    type: ObjectType.UNTYPED,
    says: "Memory: what all objects are made from.",
    methods: untyped,
  },
  {
    name: "cnode",
    title: "CNode",
    type: ObjectType.CNODE,
    says: "Tables of capability slots.",
    methods: cnode,
  },
  {
    name: "process",
    title: "Process",
    type: ObjectType.PROCESS,
    says: "A CSpace, an image and threads.",
    methods: process,
  },
  {
    name: "frame",
    title: "Frame",
    type: ObjectType.FRAME,
    says: "Memory that can be mapped: 4 KiB to 1 GiB, aligned to its size.",
    methods: frame,
  },
  {
    name: "pageTable",
    title: "PageTable",
    type: ObjectType.PAGE_TABLE,
    says: "512 entries of an address space, of one of its levels.",
    methods: pageTable,
  },
  {
    name: "addressSpace",
    title: "AddressSpace",
    type: ObjectType.ADDRESS_SPACE,
    says: "What addresses mean: a page table of level 4.",
    methods: addressSpace,
  },
  {
    name: "thread",
    title: "Thread",
    type: ObjectType.THREAD,
    says: "What runs: a guest's `main`, on one core.",
    methods: thread,
  },
  {
    name: "monitor",
    title: "Monitor",
    type: ObjectType.MONITOR,
    says: "Who wants to know of the end of a process or thread.",
    methods: monitor,
  },
  {
    name: "irq",
    title: "IrqHandler",
    type: ObjectType.IRQ_HANDLER,
    says: "What an interrupt signals.",
    methods: irq,
  },
  {
    name: "port",
    title: "IoPort",
    type: ObjectType.IO_PORT,
    says: "Bytes to and from a serial device of the host.",
    methods: port,
  },
  {
    name: "debug",
    title: "Debug",
    type: ObjectType.DEBUG,
    says: "The machine itself, for whoever holds the Debug capability.",
    methods: debug,
  },
  {
    name: "imageControl",
    title: "ImageControl",
    type: ObjectType.IMAGE_CONTROL,
    says: "The store of boot modules, where the host loads images.",
    methods: imageControl,
  },
]);

const NAMES: Readonly<Record<number, string>> = Object.freeze(
  Object.fromEntries(
    METHODS.flatMap((object) =>
      object.methods.map((method) => [method.number, `${object.name}.${method.name}`] as const),
    ),
  ),
);

/** The name of a kernel object's method, for traces and messages. */
export function methodName(method: number): string {
  return NAMES[method] ?? `method ${method}`;
}

/**
 * Kernel objects as kinds of capabilities: their methods with the rights that the kernel asks for.
 *
 *     const space = yield* os.cspace.make(CNode, 6);              // Capability<typeof CNode, KernelRight>
 *     const handle = yield* space.copy(1, os.cspace.node, ["read"]);
 *
 * What is done to a capability itself (copy, revoke, seal, ...) is its CSpace's: see `CSpace`.
 */
import { ObjectType, type Sys } from "@capos/abi";
import type { KernelMethod } from "./capability.js";
import { type Carried, type Held, type Home, handleOf, type Kind } from "./held.js";
import { IpcError } from "./ipc-error.js";
import type {
  FrameInfo,
  MonitorStatus,
  PageInfo,
  PageSample,
  ProcessStatus,
  SlotInfo,
  ThreadStatus,
  UntypedInfo,
} from "./kernel-calls.js";
import * as objects from "./kernel-calls.js";
import { type KernelRight, rightBits } from "./rights.js";
import type { Steps } from "./steps.js";

/** A number or a capability with a right: what names an argument. */
type Named<M, R extends KernelRight> = number | Held<M, R>;

export interface UntypedMethods {
  /** Makes `count` objects of a type in consecutive empty slots of a CNode. See `CSpace.make` for one's own. */
  retype: KernelMethod<
    "write",
    (
      type: ObjectType,
      sizeBits: number,
      count: number,
      into: Named<CNodeMethods, "write">,
      first: number,
    ) => Steps<void>
  >;
  /** Size and what is left of it, in bytes. */
  info: KernelMethod<never, () => Steps<UntypedInfo>>;
}

/** Each puts something into an empty slot and gives its handle in that CNode. Sources are the caller's own. */
export interface CNodeMethods {
  copy: KernelMethod<
    "write",
    (slot: number, source: Carried | number, rights?: number | readonly KernelRight[]) => Steps<number>
  >;
  mint: KernelMethod<
    "write",
    (
      slot: number,
      source: Carried | number,
      badge: number,
      rights?: number | readonly KernelRight[],
    ) => Steps<number>
  >;
  move: KernelMethod<"write", (slot: number, source: Carried | number) => Steps<number>>;
  delete: KernelMethod<"write", (slot: number) => Steps<void>>;
  inspect: KernelMethod<"read", (slot: number) => Steps<SlotInfo>>;
  /** Ends what was derived from the capability that a handle names in this CNode. That needs REVOKE. */
  revoke: KernelMethod<"write", (target: number) => Steps<void>>;
}

/** An endpoint is received from by `serve`, and used through a capability to the protocol that is served. */
export interface EndpointMethods {
  /** A message without words or an answer; blocks until a receiver took it. */
  ring: KernelMethod<"send", () => Steps<void>>;
}

export interface NotificationMethods {
  /** ORs the capability's badge into its bits. */
  signal: KernelMethod<"send", () => Steps<void>>;
  /** Blocks until it has bits, and takes them. */
  wait: KernelMethod<"receive", () => Steps<number>>;
}

export interface ProcessMethods {
  configure: KernelMethod<
    "write",
    (
      space: Named<CNodeMethods, "write">,
      image: Named<ImageMethods, "execute">,
      name: string,
      threads: number,
    ) => Steps<void>
  >;
  verify: KernelMethod<
    "read",
    (held: Carried | number, rights: number | readonly KernelRight[]) => Steps<boolean>
  >;
  status: KernelMethod<"read", () => Steps<ProcessStatus>>;
  ceiling: KernelMethod<"write", (priority: number) => Steps<void>>;
  use: KernelMethod<"write", (memory: Named<AddressSpaceMethods, "map">) => Steps<void>>;
  /** Page faults go to the endpoint from now on: see `access`. */
  faults: KernelMethod<"write", (handler: Named<EndpointMethods, "send">) => Steps<void>>;
  kill: KernelMethod<"write", () => Steps<void>>;
}

export interface ThreadMethods {
  configure: KernelMethod<
    "write",
    (ofProcess: Named<ProcessMethods, "write">, core: number, priority: number) => Steps<void>
  >;
  start: KernelMethod<"write", (startWords: readonly number[]) => Steps<void>>;
  destroy: KernelMethod<"write", () => Steps<void>>;
  bind: KernelMethod<"write", (notification: Named<NotificationMethods, "receive">) => Steps<void>>;
  priority: KernelMethod<"write", (priority: number) => Steps<void>>;
  status: KernelMethod<"read", () => Steps<ThreadStatus>>;
}

export interface MonitorMethods {
  watch: KernelMethod<
    "write",
    (
      target: Named<ProcessMethods, "read"> | Held<ThreadMethods, "read">,
      notification: Named<NotificationMethods, "send">,
    ) => Steps<void>
  >;
  status: KernelMethod<"read", () => Steps<MonitorStatus>>;
}

/** A sealer closes with WRITE and opens with READ: see `CSpace.seal`. */
export interface SealerMethods {
  readonly named: "sealer";
}

/** An image has no methods: processes are configured with it. */
export interface ImageMethods {
  readonly named: "image";
}

export interface FrameMethods {
  /** At an address that is a multiple of its size. Rights are READ, and WRITE or EXECUTE or neither. */
  map: KernelMethod<
    "map",
    (
      memory: Named<AddressSpaceMethods, "map">,
      address: number,
      rights: number | readonly KernelRight[],
    ) => Steps<void>
  >;
  unmap: KernelMethod<"map", () => Steps<void>>;
  protect: KernelMethod<"map", (rights: number | readonly KernelRight[]) => Steps<void>>;
  info: KernelMethod<never, () => Steps<FrameInfo>>;
  zero: KernelMethod<"write", () => Steps<void>>;
  copy: KernelMethod<"write", (from: Named<FrameMethods, "read">) => Steps<void>>;
}

export interface PageTableMethods {
  map: KernelMethod<"map", (memory: Named<AddressSpaceMethods, "map">, address: number) => Steps<number>>;
  unmap: KernelMethod<"map", () => Steps<void>>;
}

export interface AddressSpaceMethods {
  query: KernelMethod<"read", (address: number) => Steps<PageInfo>>;
  sample: KernelMethod<"write", (address: number, count: number, clear: boolean) => Steps<PageSample>>;
}

export interface ReplyMethods {
  readonly named: "reply";
}

type Calls<M> = {
  readonly [N in keyof M as M[N] extends KernelMethod<KernelRight, unknown>
    ? N
    : never]: M[N] extends KernelMethod<KernelRight, infer F> ? F : never;
};

function kind<M>(
  name: string,
  objectType: ObjectType,
  methods: (sys: Sys, handle: number) => Calls<M>,
): Kind<M> {
  return Object.freeze({ name, objectType, bind: (home: Home, handle: number) => methods(home.sys, handle) });
}

function check(answer: number, what: string): void {
  if (answer < 0) throw new IpcError(answer, what);
}

const ALL: readonly KernelRight[] = /* @__PURE__ */ Object.freeze([
  "read",
  "write",
  "execute",
  "map",
  "send",
  "receive",
  "grant",
  "revoke",
]);

/** Memory, as a kind of capability: what all objects are made from. */
export const Untyped = /* @__PURE__ */ kind<UntypedMethods>("untyped", ObjectType.UNTYPED, (sys, handle) => ({
  retype: (type, sizeBits, count, into, first) =>
    objects.untyped.retype(sys, handle, type, sizeBits, count, handleOf(into), first),
  info: () => objects.untyped.info(sys, handle),
}));

/** A table of capability slots, as a kind of capability. */
export const CNode = /* @__PURE__ */ kind<CNodeMethods>("cnode", ObjectType.CNODE, (sys, handle) => ({
  copy: (slot, source, rights = ALL) =>
    objects.cnode.copy(sys, handle, slot, handleOf(source), rightBits(rights)),
  mint: (slot, source, badge, rights = ALL) =>
    objects.cnode.mint(sys, handle, slot, handleOf(source), rightBits(rights), badge),
  move: (slot, source) => objects.cnode.move(sys, handle, slot, handleOf(source)),
  delete: (slot) => objects.cnode.delete(sys, handle, slot),
  inspect: (slot) => objects.cnode.inspect(sys, handle, slot),
  revoke: (target) => objects.cnode.revoke(sys, handle, target),
}));

/** Where a server receives and its clients call, as a kind of capability. */
export const Endpoint = /* @__PURE__ */ kind<EndpointMethods>(
  "endpoint",
  ObjectType.ENDPOINT,
  (sys, handle) => ({
    *ring() {
      check(yield sys.send(handle, 0), "ring");
    },
  }),
);

/** Bits that can be set and waited for, as a kind of capability. */
export const Notification = /* @__PURE__ */ kind<NotificationMethods>(
  "notification",
  ObjectType.NOTIFICATION,
  (sys, handle) => ({
    *signal() {
      check(yield sys.notify(handle), "signal");
    },
    *wait() {
      check(yield sys.wait(handle), "wait");
      return sys.badge();
    },
  }),
);

/** A CSpace, an image and threads, as a kind of capability. */
export const Process = /* @__PURE__ */ kind<ProcessMethods>("process", ObjectType.PROCESS, (sys, handle) => ({
  configure: (space, image, name, threads) =>
    objects.process.configure(sys, handle, handleOf(space), handleOf(image), name, threads),
  verify: (held, rights) => objects.process.verify(sys, handle, handleOf(held), rightBits(rights)),
  status: () => objects.process.status(sys, handle),
  ceiling: (priority) => objects.process.ceiling(sys, handle, priority),
  use: (memory) => objects.process.use(sys, handle, handleOf(memory)),
  faults: (handler) => objects.process.faults(sys, handle, handleOf(handler)),
  kill: () => objects.process.kill(sys, handle),
}));

/** What runs a guest's `main`, as a kind of capability. */
export const Thread = /* @__PURE__ */ kind<ThreadMethods>("thread", ObjectType.THREAD, (sys, handle) => ({
  configure: (ofProcess, core, priority) =>
    objects.thread.configure(sys, handle, handleOf(ofProcess), core, priority),
  start: (startWords) => objects.thread.start(sys, handle, startWords),
  destroy: () => objects.thread.destroy(sys, handle),
  bind: (notification) => objects.thread.bind(sys, handle, handleOf(notification)),
  priority: (priority) => objects.thread.priority(sys, handle, priority),
  status: () => objects.thread.status(sys, handle),
}));

/** Who wants to know of a process's or thread's end, as a kind of capability. */
export const Monitor = /* @__PURE__ */ kind<MonitorMethods>("monitor", ObjectType.MONITOR, (sys, handle) => ({
  watch: (target, notification) =>
    objects.monitor.watch(sys, handle, handleOf(target), handleOf(notification)),
  status: () => objects.monitor.status(sys, handle),
}));

/** What closes and opens sealed capabilities, as a kind of capability. */
export const Sealer = /* @__PURE__ */ kind<SealerMethods>("sealer", ObjectType.SEALER, () => ({}));

/** A program that processes can be started with, as a kind of capability. */
export const Image = /* @__PURE__ */ kind<ImageMethods>("image", ObjectType.IMAGE, () => ({}));

/** A frame of memory, as a kind of capability. */
export const Frame = /* @__PURE__ */ kind<FrameMethods>("frame", ObjectType.FRAME, (sys, handle) => ({
  map: (memory, address, rights) =>
    objects.frame.map(sys, handle, handleOf(memory), address, rightBits(rights)),
  unmap: () => objects.frame.unmap(sys, handle),
  protect: (rights) => objects.frame.protect(sys, handle, rightBits(rights)),
  info: () => objects.frame.info(sys, handle),
  zero: () => objects.frame.zero(sys, handle),
  copy: (from) => objects.frame.copy(sys, handle, handleOf(from)),
}));

/** A table of an address space, as a kind of capability. */
export const PageTable = /* @__PURE__ */ kind<PageTableMethods>(
  "page-table",
  ObjectType.PAGE_TABLE,
  (sys, handle) => ({
    map: (memory, address) => objects.pageTable.map(sys, handle, handleOf(memory), address),
    unmap: () => objects.pageTable.unmap(sys, handle),
  }),
);

/** What addresses mean, as a kind of capability. */
export const AddressSpace = /* @__PURE__ */ kind<AddressSpaceMethods>(
  "address-space",
  ObjectType.ADDRESS_SPACE,
  (sys, handle) => ({
    query: (address) => objects.addressSpace.query(sys, handle, address),
    sample: (address, count, clear) =>
      objects.addressSpace.sample(sys, handle, address, count, clear ? 1 : 0),
  }),
);

/** A saved reply, as a kind of capability. */
export const Reply = /* @__PURE__ */ kind<ReplyMethods>("reply", ObjectType.REPLY, () => ({}));
